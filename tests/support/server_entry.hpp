// A server as the routing knows it, for tests that need no more of it.
#pragma once
#include <memory>
#include <string>

#include "proxy/routing.hpp"

namespace pgtandem::proxy {

// One that answers, follows timeline 1 and is not behind.
inline ServerEntry server(std::string const& name, bool is_primary) {
    ServerEntry entry;
    entry.name = name;
    entry.is_primary = is_primary;
    entry.is_usable = true;
    entry.timeline = 1;
    entry.position = std::make_shared<ServerPosition>();
    entry.position->set_lag(std::chrono::milliseconds(0));
    return entry;
}

}  // namespace pgtandem::proxy
