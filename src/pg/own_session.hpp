// How every session of pgtandem's own begins. Startup options count before what anybody has set for a role or a database
// (ALTER ROLE, ALTER DATABASE: the owner of a database may do that), and from the session's first moment on.
#pragma once
#include <algorithm>
#include <string_view>
#include <utility>

namespace pgtandem {

// With an empty search_path a name or an operator that is not qualified is found in pg_catalog or not at all (CVE-2018-1058).
// The others are those that an owner can set and that change what our statements mean, or whether they can run.
inline constexpr std::pair<char const*, char const*> own_session_settings[] = {
    {"search_path", ""},
    {"local_preload_libraries", ""},
    {"role", "none"},
    {"default_transaction_isolation", "read committed"},  // a replica refuses "serializable"
    {"default_transaction_read_only", "off"},
    {"standard_conforming_strings", "on"},
    {"statement_timeout", "0"},
    {"lock_timeout", "0"},
    {"idle_in_transaction_session_timeout", "0"},
};

// Of a role's login: no place left for ordinary roles (too_many_connections), a role that is not there yet or whose password is
// another one, or one that somebody has shut out. Then the reserve may come in.
inline bool is_for_the_reserve(std::string_view sqlstate) {
    constexpr std::string_view refusals[] = {"53300", "28P01", "28000", "42501"};
    return std::ranges::find(refusals, sqlstate) != std::end(refusals);
}

}  // namespace pgtandem
