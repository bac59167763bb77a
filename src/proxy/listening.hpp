// The endpoint's listening sockets: opened, or taken over from the process that served before.
#pragma once
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "proxy/endpoint_settings.hpp"
#include "proxy/pool.hpp"

namespace pgtandem::proxy {

// A listening socket, and whom its clients are for.
struct ListeningSocket {
    UniqueFd fd;
    Target target;
};

// One for each address the settings name: those of 'taken' that fit, new ones where none does. What does not fit is closed.
// Errors: a port is taken, an address is not ours.
Result<std::vector<ListeningSocket>> open_sockets(EndpointSettings const& settings, unsigned threads,
                                                  std::vector<ListeningSocket> taken);

}  // namespace pgtandem::proxy
