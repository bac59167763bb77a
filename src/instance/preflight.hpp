// What must be so before anything is made: the folder, the ports, the disk, the settings.
// Nothing is changed by looking.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "instance/configuration.hpp"
#include "instance/layout.hpp"
#include "instance/programs.hpp"
#include "io/identity.hpp"

namespace pgtandem {

// Whether a cluster lies in the folder; false where the folder is empty or not there. Errors: what lies there is not
// ours, or is another user's, or others may write to it.
Result<bool> look_at_folder(ClusterPaths const& paths, SystemUser const& owner);

// Makes the folder if it is not there, for 'owner' (who may be another user when we are root).
Status make_folder(ClusterPaths const& paths, SystemUser const& owner);

Status check_port(std::string const& node, std::string const& listen, std::uint16_t port);

// Room for 'new_nodes' more data folders of the primary's present size.
Status check_disk(ClusterPaths const& paths, std::uint64_t primary_bytes, std::size_t new_nodes);

// Asks PostgreSQL itself, in a scratch folder below 'scratch', whether it takes the settings and could allocate what
// they ask for. Errors hold its words.
Status check_settings(PgPrograms const& programs, Path const& scratch, Settings const& settings);

}  // namespace pgtandem
