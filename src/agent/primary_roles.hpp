// What a primary must hold for the cluster to work: the roles, the user's database, the replicas' slots.
// Each call makes what is missing and leaves what is there.
#pragma once
#include <string>
#include <vector>

#include "base/result.hpp"
#include "client/session.hpp"
#include "instance/credentials.hpp"

namespace pgtandem {

Status ensure_roles(Session& admin, Credentials const& credentials);
// What our own ordinary roles need, where it is missing: what docs/security.md names, and CONNECT where not everybody may.
Status keep_grants(Session& admin);
// The user's database; takes tens of milliseconds when it is made.
Status ensure_database(Session& admin, Credentials const& credentials);

std::string slot_name(std::string const& node);
// A physical slot that holds WAL from now on at the latest; one that has lost its WAL is made anew.
Status ensure_slot(Session& admin, std::string const& node);
Status drop_slot(Session& admin, std::string const& node);

// Where the primary's tablespaces lie, other than its own two.
Result<std::vector<std::string>> tablespace_locations(Session& admin);

}  // namespace pgtandem
