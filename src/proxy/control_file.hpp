// What is read from a server's file global/pg_control.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace pgtandem::proxy {

// The secret that the server makes up salts with for roles that are not there (mock_authentication_nonce): it is the same for
// all servers of a cluster, and for ever. Nothing where the file has another layout, or was read while it was written.
std::optional<std::string> mock_authentication_nonce(std::string_view pg_control);

}  // namespace pgtandem::proxy
