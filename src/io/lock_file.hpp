// A lock that dies with its holder: an open-file-description lock on a file that holds the holder's process id.
// The file itself stays and means nothing; there is no such thing as a stale lock.
#pragma once
#include <sys/types.h>

#include <optional>

#include "base/files.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace pgtandem {

class LockFile {
public:
    // Nothing when another process holds it. One that has been killed, and will let go when the last of its threads has
    // ended, is waited for, 10 s at most.
    static Result<std::optional<LockFile>> try_take(Path const& path);
    // The process that holds the lock; nothing when it is free. 0 when the holder has not written its id yet. An error when
    // that cannot be seen: the lock may be free or held.
    static Result<std::optional<pid_t>> holder(Path const& path);

private:
    explicit LockFile(UniqueFd file) : file_(std::move(file)) {}
    UniqueFd file_;
};

}  // namespace pgtandem
