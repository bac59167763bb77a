#include "base/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/unique_fd.hpp"

namespace pgtandem {

namespace fs = std::filesystem;

namespace {

Result<std::string> read_rest(UniqueFd const& file, Path const& path) {
    std::string content;
    std::array<char, 16384> buffer;
    for (;;) {
        auto const got = ::read(file.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno("reading", path.string());
        if (got == 0) return content;
        content.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

}  // namespace

Result<std::string> read_file(Path const& path) {
    UniqueFd const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return fail_errno("reading", path.string());
    return read_rest(file, path);
}

Result<std::string> read_file_end(Path const& path, std::uint64_t bytes) {
    UniqueFd const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    auto const size = file ? ::lseek(file.get(), 0, SEEK_END) : -1;
    auto const begin = std::max<off_t>(0, size - static_cast<off_t>(bytes));
    if (size < 0 || ::lseek(file.get(), begin, SEEK_SET) < 0) return fail_errno("reading", path.string());
    return read_rest(file, path).map([bytes](std::string content) { return content.substr(0, bytes); });
}

Result<std::optional<std::string>> read_file_if_there(Path const& path) {
    auto content = read_file(path);
    if (content) return std::optional(std::move(*content));
    PGTANDEM_TRY(there, look_for(path));
    if (!there) return std::optional<std::string>();
    return fail(std::move(content).error());
}

namespace {

Status write_all(int fd, std::string_view content, Path const& path) {
    while (!content.empty()) {
        auto const put = ::write(fd, content.data(), content.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return fail_errno("writing", path.string());
        content.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

Status sync_directory(Path const& path) {
    UniqueFd const directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0) return fail_errno("syncing", path.string());
    return {};
}

enum class Sync { yes, no };

Status write_new_file(Path const& path, std::string_view content, mode_t mode, Sync sync) {
    UniqueFd const file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!file) return fail_errno("writing", path.string());
    if (::fchmod(file.get(), mode) != 0) return fail_errno("writing", path.string());
    PGTANDEM_CHECK(write_all(file.get(), content, path));
    if (sync == Sync::yes && ::fsync(file.get()) != 0) return fail_errno("syncing", path.string());
    return {};
}

Status move_over(Path const& from, Path const& to) {
    if (::rename(from.c_str(), to.c_str()) == 0) return {};
    return fail_errno("renaming", fmt::format("{} to {}", from.string(), to.filename().string()));
}

Status replace_file(Path const& path, std::string_view content, mode_t mode, Sync sync) {
    Path const beside = path.string() + ".new";
    auto written = write_new_file(beside, content, mode, sync);
    if (written) written = move_over(beside, path);
    if (!written) ::unlink(beside.c_str());
    if (written && sync == Sync::yes) return sync_directory(path.parent_path());
    return written;
}

}  // namespace

Status write_file(Path const& path, std::string_view content, mode_t mode) {
    return replace_file(path, content, mode, Sync::yes);
}

Status write_volatile_file(Path const& path, std::string_view content, mode_t mode) {
    return replace_file(path, content, mode, Sync::no);
}

Status make_directory(Path const& path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) == 0) {
        // The umask may have taken bits away that were asked for.
        if (::chmod(path.c_str(), mode) != 0) return fail_errno("making the folder", path.string());
        return {};
    }
    if (errno == EEXIST) {
        std::error_code ignored;
        if (fs::is_directory(path, ignored)) return {};
        return fail("making the folder", path.string(), "something that is not a folder is there");
    }
    if (errno == ENOENT && path.has_parent_path() && path.parent_path() != path) {
        PGTANDEM_CHECK(make_directory(path.parent_path(), 0755));
        return make_directory(path, mode);
    }
    return fail_errno("making the folder", path.string());
}

Status remove_tree(Path const& path) {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) return fail("removing", path.string(), error.message());
    return {};
}

Status move_durably(Path const& from, Path const& to) {
    PGTANDEM_CHECK(move_over(from, to));
    return sync_directory(to.parent_path());
}

bool is_there(Path const& path) {
    std::error_code ignored;
    return fs::exists(fs::symlink_status(path, ignored));
}

Result<bool> look_for(Path const& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return fail_errno("looking at", path.string());
}

std::uint64_t disk_usage(Path const& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return 0;
    auto total = static_cast<std::uint64_t>(info.st_blocks) * 512;
    if (!S_ISDIR(info.st_mode)) return total;
    std::error_code error;
    for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
        total += disk_usage(entry->path());
    }
    return total;
}

Result<std::uint64_t> disk_free(Path const& path) {
    auto place = path;
    while (!is_there(place) && place.has_parent_path() && place != place.parent_path()) place = place.parent_path();
    struct statvfs info {};
    if (::statvfs(place.c_str(), &info) != 0) return fail_errno("asking for free space", place.string());
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace pgtandem
