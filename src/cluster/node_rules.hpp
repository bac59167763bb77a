// What one node's agent does next: facts in, one intent out, as rows an operator could read.
// The first that matches wins. No clock, no socket, no process; level-triggered, so that whatever was killed halfway
// is simply looked at again.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace pgtandem::cluster {

enum class Server : std::uint8_t { stopped, starting, running };

enum class Intent : std::uint8_t {
    rest,              // nothing, and nothing more to come
    look_again,        // nothing, until it can be seen what is
    stop,              // a fast shutdown
    remove,            // delete the node's folder and its slot
    refuse,            // an operator has to look
    initialize,        // initdb
    install,           // put a finished copy into its place
    clone,             // base backup
    wait_for_primary,  //
    configure,         // write our settings, reload if the server runs
    wait_to_start,     // starts came to nothing: the next one after a pause
    start,             //
    wait_for_server,   //
    restart,           // stop, and start by the next rule
    watch,             // all is well
};

struct NodeFacts {
    bool is_seen = true;           // false: the server, its data or its settings cannot be seen; the rest then means nothing
    bool is_long_unseen = false;   // and has not been for longer than a shutdown waits
    bool is_primary = false;
    bool removed = false;          // no longer wanted
    bool stopping = false;         // the cluster is going down, and it is this node's turn
    bool was_initialized = false;  // the cluster's system identifier is known
    bool has_data = false;
    bool data_is_current = false;  // of the wanted generation
    bool copy_is_ready = false;    // a finished copy waits
    Server server = Server::stopped;
    bool start_waits = false;      // its last starts came to nothing, and the pause after them is not over
    bool primary_answers = false;
    bool is_configured = false;  // the files hold what they should
    bool needs_restart = false;  // for a setting of ours
    bool may_restart = false;    // the others are ready for it
};

struct NodeRule {
    std::string_view id;
    bool (*when)(NodeFacts const&);
    Intent then;
    std::string_view because;
};

using F = NodeFacts const&;

inline constexpr auto node_rules = std::to_array<NodeRule>({
    // What cannot be seen is not absent: a file that could not be opened is no reason to stop, start or copy anything.
    {"down-unseen", [](F f) { return f.stopping && !f.is_seen && f.is_long_unseen; }, Intent::rest,
     "cannot be seen; it is left as it is"},
    {"unseen", [](F f) { return !f.is_seen; }, Intent::look_again, "cannot be seen; nothing is done meanwhile"},
    {"removed-stop", [](F f) { return f.removed && f.server != Server::stopped; }, Intent::stop, "is being removed"},
    {"down-stop", [](F f) { return f.stopping && f.server != Server::stopped; }, Intent::stop,
     "the cluster is going down"},
    {"down", [](F f) { return f.stopping; }, Intent::rest, "is down"},
    {"removed-waits", [](F f) { return f.removed && !f.primary_answers; }, Intent::wait_for_primary,
     "waits for the primary to give up its slot"},
    {"removed", [](F f) { return f.removed; }, Intent::remove, "is being removed"},
    {"primary-lost", [](F f) { return f.is_primary && !f.has_data && f.was_initialized; }, Intent::refuse,
     "the primary's data is gone; it is never made anew over a cluster that had data"},
    {"primary-new-stop", [](F f) { return f.is_primary && !f.has_data && f.server != Server::stopped; }, Intent::stop,
     "its data is gone; what ran on it ends before there is new"},
    {"primary-new", [](F f) { return f.is_primary && !f.has_data; }, Intent::initialize, "has no data yet"},
    {"copy-ready-stop", [](F f) { return !f.is_primary && f.copy_is_ready && f.server != Server::stopped; },
     Intent::stop, "a new copy waits to take its place"},
    {"copy-ready", [](F f) { return !f.is_primary && f.copy_is_ready; }, Intent::install, "its copy is complete"},
    {"replica-new", [](F f) { return !f.is_primary && !(f.has_data && f.data_is_current) && f.primary_answers; },
     Intent::clone, "copies the primary"},
    {"replica-waits", [](F f) { return !f.is_primary && !f.has_data; }, Intent::wait_for_primary,
     "waits for the primary to copy it"},
    {"settings", [](F f) { return !f.is_configured; }, Intent::configure, "its settings have changed"},
    {"start-waits", [](F f) { return f.server == Server::stopped && f.start_waits; }, Intent::wait_to_start,
     "its starts come to nothing; it waits before the next"},
    {"stopped", [](F f) { return f.server == Server::stopped; }, Intent::start, "is to run"},
    {"starting", [](F f) { return f.server == Server::starting; }, Intent::wait_for_server, "recovers and starts"},
    {"restart", [](F f) { return f.needs_restart && f.may_restart; }, Intent::restart,
     "a setting takes effect with a restart"},
    {"well", [](F) { return true; }, Intent::watch, "runs"},
});

constexpr NodeRule const& decide(NodeFacts const& facts) {
    for (auto const& rule : node_rules) {
        if (rule.when(facts)) return rule;
    }
    return node_rules.back();
}

std::string_view to_string(Intent intent);

}  // namespace pgtandem::cluster
