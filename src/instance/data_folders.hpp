// The removal of folders that hold PostgreSQL's data.
#pragma once
#include "base/files.hpp"

namespace pgtandem {

// Also the System V segment that each killed server in it has left: only a start in the same folder would take it away, and a
// system has a few thousand places for such segments. Nobody may run there any more. 'folder' may be missing.
Status remove_with_data(Path const& folder);

}  // namespace pgtandem
