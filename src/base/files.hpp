// Files and folders, written so that a crash leaves either the old or the new, never half of it.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace pgtandem {

using Path = std::filesystem::path;

Result<std::string> read_file(Path const& path);
// At most so many bytes of its end.
Result<std::string> read_file_end(Path const& path, std::uint64_t bytes);
// The content, or nothing where there is no such file.
Result<std::optional<std::string>> read_file_if_there(Path const& path);

// Writes beside the target, syncs, renames over it, syncs the folder.
Status write_file(Path const& path, std::string_view content, mode_t mode = 0600);
// The same without waiting for the disk: whole for every reader, but after a loss of power it may be old or gone.
Status write_volatile_file(Path const& path, std::string_view content, mode_t mode = 0600);

// Makes the folder and its parents; what it makes itself gets 'mode'.
Status make_directory(Path const& path, mode_t mode = 0700);
Status remove_tree(Path const& path);
// rename(2) and a sync of the folder above the target.
Status move_durably(Path const& from, Path const& to);

bool is_there(Path const& path);
// The same where a 'no' decides something: an error when it cannot be seen.
Result<bool> look_for(Path const& path);
// Bytes used on disk below 'path'; what vanishes while counting is not counted.
std::uint64_t disk_usage(Path const& path);
// Bytes an ordinary user may still write on the file system of 'path' (or of its nearest parent that is there).
Result<std::uint64_t> disk_free(Path const& path);

}  // namespace pgtandem
