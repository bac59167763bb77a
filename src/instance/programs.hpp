// PostgreSQL's own programs on this machine.
#pragma once
#include <optional>
#include <string>

#include "base/files.hpp"
#include "base/result.hpp"

namespace pgtandem {

inline constexpr int oldest_supported_major = 13;

struct PgPrograms {
    Path folder;
    int major;
    std::string version;  // "15.20"

    Path operator/(char const* program) const { return folder / program; }
};

// Looks in 'chosen' if given, else in PATH and in the places distributions use; of several versions the one asked for,
// else the newest. Errors name the package to install.
Result<PgPrograms> find_programs(std::optional<Path> const& chosen, std::optional<int> major);

// "postgres (PostgreSQL) 15.20 (Debian ...)" gives "15.20"; "" where it is no such line.
std::string parse_version(std::string_view line);

}  // namespace pgtandem
