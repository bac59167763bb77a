#include "io/lock_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string>

#include "base/deadline.hpp"
#include "io/processes.hpp"

namespace pgtandem {

namespace {

constexpr auto longest_ending = 10s;

struct flock whole_file() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

}  // namespace

Result<std::optional<LockFile>> LockFile::try_take(Path const& path) {
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return fail_errno("locking", path.string());
    auto const deadline = Deadline::in(longest_ending);
    auto lock = whole_file();
    while (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) {
        if (errno != EAGAIN && errno != EACCES) return fail_errno("locking", path.string());
        // Whoever comes in its moment between life and death must not take it for alive.
        PGTANDEM_TRY(other, holder(path));
        if (deadline.passed() || (other && !is_ending(*other))) return std::optional<LockFile>();
        ::usleep(1000);
    }
    auto const id = std::to_string(::getpid()) + "\n";
    if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), id.data(), id.size(), 0) < 0) {
        return fail_errno("writing", path.string());
    }
    return std::optional(LockFile(std::move(file)));
}

Result<std::optional<pid_t>> LockFile::holder(Path const& path) {
    UniqueFd const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file && (errno == ENOENT || errno == ENOTDIR)) return std::optional<pid_t>();
    if (!file) return fail_errno("looking at the lock", path.string());
    auto lock = whole_file();
    if (::fcntl(file.get(), F_OFD_GETLK, &lock) != 0) return fail_errno("looking at the lock", path.string());
    if (lock.l_type == F_UNLCK) return std::optional<pid_t>();
    char text[16]{};
    auto const got = ::pread(file.get(), text, sizeof text - 1, 0);
    if (got < 0) return fail_errno("looking at the lock", path.string());
    pid_t pid = 0;
    std::from_chars(text, text + got, pid);
    return std::optional(pid);
}

}  // namespace pgtandem
