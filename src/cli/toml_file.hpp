// Settings files in TOML.
#pragma once
#include <toml++/toml.h>

#include <string>

#include "base/files.hpp"
#include "base/result.hpp"

namespace pgtandem::cli {

// Errors: usage, with the line, where it is no TOML; those of reading the file.
Result<toml::table> read_toml(Path const& file);
// A value as PostgreSQL would have it written; a list's elements with commas between them. 'key' and 'file' are for the error.
enum class TomlLists { refused, taken };
Result<std::string> toml_text(toml::node const& node, std::string const& key, Path const& file, TomlLists lists);

}  // namespace pgtandem::cli
