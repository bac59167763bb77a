#include "io/identity.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace pgtandem {

namespace {

SystemUser from_entry(passwd const& entry) { return {entry.pw_uid, entry.pw_gid, entry.pw_name, entry.pw_dir}; }

}  // namespace

SystemUser current_user() {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 16384> buffer;
    if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
        return from_entry(entry);
    }
    char const* home = std::getenv("HOME");
    return {::geteuid(), ::getegid(), std::to_string(::geteuid()), home != nullptr ? home : "/"};
}

Result<SystemUser> find_user(std::string const& name) {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 16384> buffer;
    ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found == nullptr) return fail("looking for the system user", name, "there is none");
    return from_entry(entry);
}

std::string user_name(uid_t uid) {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 16384> buffer;
    ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
    return found != nullptr ? std::string(entry.pw_name) : std::to_string(uid);
}

Status become(SystemUser const& user) {
    if (::initgroups(user.name.c_str(), user.gid) != 0 || ::setgid(user.gid) != 0 || ::setuid(user.uid) != 0) {
        return fail_errno("becoming the system user", user.name);
    }
    // A change of user makes the process undumpable, and then its own /proc/self belongs to root.
    ::prctl(PR_SET_DUMPABLE, 1);
    ::setenv("HOME", user.home.c_str(), 1);
    ::setenv("USER", user.name.c_str(), 1);
    return {};
}

}  // namespace pgtandem
