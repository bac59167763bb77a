#include "cluster/node_rules.hpp"

namespace pgtandem::cluster {

std::string_view to_string(Intent intent) {
    switch (intent) {
        case Intent::rest: return "rest";
        case Intent::stop: return "stop";
        case Intent::remove: return "remove";
        case Intent::refuse: return "refuse";
        case Intent::initialize: return "initialize";
        case Intent::install: return "install";
        case Intent::clone: return "clone";
        case Intent::wait_for_primary: return "wait for the primary";
        case Intent::configure: return "configure";
        case Intent::look_again: return "look again";
        case Intent::wait_to_start: return "wait to start";
        case Intent::start: return "start";
        case Intent::wait_for_server: return "wait for the server";
        case Intent::restart: return "restart";
        case Intent::watch: return "watch";
    }
    return "";
}

}  // namespace pgtandem::cluster
