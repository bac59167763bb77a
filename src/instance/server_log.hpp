// The folder of a server's log is bounded: any client can write to it by its errors, and no setting of PostgreSQL's bounds it.
#pragma once
#include <cstdint>

#include "instance/layout.hpp"

namespace pgtandem {

// PostgreSQL begins another file after so much, or after a day; with the names that it gives them by default.
inline constexpr char const* server_log_filename = "postgresql-%Y-%m-%d_%H%M%S.log";
inline constexpr char const* server_log_rotation_size = "16MB";
inline constexpr std::uint64_t server_log_bytes_max = 256 << 20;

// Removes the oldest of the files with such names until all of them together have no more than 'bytes_max'; the newest stays. Files of
// other names are those of somebody's own log_filename, and left alone.
void remove_oldest_server_logs(NodePaths const& node, std::uint64_t bytes_max = server_log_bytes_max);

}  // namespace pgtandem
