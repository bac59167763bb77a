// Which system user we are, and becoming another one for good.
#pragma once
#include <sys/types.h>

#include <string>

#include "base/files.hpp"
#include "base/result.hpp"

namespace pgtandem {

struct SystemUser {
    uid_t uid;
    gid_t gid;
    std::string name;
    Path home;
};

SystemUser current_user();
Result<SystemUser> find_user(std::string const& name);
// The name of a uid, or the number where it has none.
std::string user_name(uid_t uid);
// Gives up root for good, all groups included.
Status become(SystemUser const& user);

}  // namespace pgtandem
