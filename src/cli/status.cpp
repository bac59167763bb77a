#include "cli/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.hpp"
#include "cli/terminal.hpp"
#include "client/session.hpp"
#include "pg/lsn.hpp"

namespace pgtandem::cli {

namespace {

constexpr auto patience = 2s;

Deadline soon() { return Deadline::in(patience); }

std::uint64_t as_number(std::optional<std::string> const& text) {
    return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
}

std::optional<double> as_real(std::optional<std::string> const& text) {
    if (!text) return std::nullopt;
    return std::strtod(text->c_str(), nullptr);
}

// One row from each kind of server; written so that both can run it.
constexpr char const* server_query = R"(
SELECT pg_catalog.pg_is_in_recovery(),
       extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) pg_catalog.pg_postmaster_start_time()),
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_flush_lsn() END,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN coalesce((SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver),
                                                   (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()))
            ELSE ('x' OPERATOR(pg_catalog.||) pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_flush_lsn()), 1, 8))::bit(32)::int END,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_is_wal_replay_paused() ELSE false END,
       coalesce((SELECT status FROM pg_catalog.pg_stat_wal_receiver), ''),
       CASE WHEN NOT pg_catalog.pg_is_in_recovery() OR pg_catalog.pg_last_wal_receive_lsn() OPERATOR(pg_catalog.=) pg_catalog.pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) pg_catalog.pg_last_xact_replay_timestamp()) OPERATOR(pg_catalog.*) 1000 END,
       pg_catalog.pg_last_wal_receive_lsn(),
       pg_catalog.current_setting('server_version'))";

constexpr char const* replication_query = R"(
SELECT s.slot_name, s.active, coalesce(s.wal_status, ''), pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.restart_lsn)::bigint,
       r.sync_state
FROM pg_catalog.pg_replication_slots s LEFT JOIN pg_catalog.pg_stat_replication r ON r.pid OPERATOR(pg_catalog.=) s.active_pid
WHERE s.slot_type OPERATOR(pg_catalog.=) 'physical')";

struct SlotFacts {
    std::string state;
    std::uint64_t held_bytes;
    std::string sync;
};

struct Answers {
    std::optional<Lsn> primary_lsn;
    std::map<std::string, SlotFacts> slots;
    std::uint64_t most_received = 0;
    bool has_slots = false;
};

api::NodeStatus describe(api::Node const& node) {
    api::NodeStatus status;
    status.name = node.name;
    status.role = node.is_primary ? "primary" : "replica";
    status.state = node.process;
    status.port = node.user.port;
    status.disk_bytes = disk_usage(node.data);
    status.problem = node.error;
    if (node.phase == "clone" && node.process == "stopped") {
        status.state = "cloning";
        if (node.total_bytes > 0) status.state += fmt::format(" {}%", 100 * node.done_bytes / node.total_bytes);
    }
    return status;
}

void note_replica(api::NodeStatus& status, Rows::Row const& row, Answers& answers) {
    bool const in_recovery = row[0] == "t";
    bool const paused = row[4] == "t";
    auto const& receiver = *row[5];
    if (auto const received = parse_lsn(row[7].value_or(""))) {
        answers.most_received = std::max(answers.most_received, received->value());
    }
    if (!in_recovery) {
        status.state = "promoted";
        status.problem = "it takes writes of its own";
        return;
    }
    status.lag_ms = as_real(row[6]);
    auto const replayed = parse_lsn(row[2].value_or(""));
    if (replayed && answers.primary_lsn) {
        auto const ahead = answers.primary_lsn->value();
        status.lag_bytes = ahead > replayed->value() ? ahead - replayed->value() : 0;
    }
    status.state = paused                    ? "paused"
                   : receiver == "streaming" ? "streaming"
                   : receiver.empty()        ? "not streaming"
                                             : receiver;
    if (paused) status.problem = "its replay is paused";
    if (!paused && status.state != "streaming" && status.problem.empty()) {
        status.problem = "it gets no WAL from the primary";
    }
}

void ask_server(api::Node const& node, api::NodeStatus& status, std::string& version, Answers& answers) {
    if (node.process != "running") return;
    auto session = Session::connect(node.monitor, soon());
    auto const rows = session ? session->query(server_query, soon()) : tl::unexpected(session.error());
    if (!rows) {
        status.state = rows.error().kind == ErrorKind::timed_out ? "hangs" : "no answer";
        status.problem = rows.error().why;
        return;
    }
    auto const& row = *rows->begin();
    status.uptime_seconds = as_real(row[1]);
    status.lsn = row[2].value_or("");
    status.timeline = static_cast<std::uint32_t>(as_number(row[3]));
    version = *row[8];
    if (!node.is_primary) return note_replica(status, row, answers);
    answers.primary_lsn = parse_lsn(status.lsn);
    if (row[0] == "t") status.problem = "it is in recovery";
    auto const slots = session->query(replication_query, soon());
    if (!slots) return;
    answers.has_slots = true;
    for (auto const& slot : *slots) {
        auto const state = slot[2] == "lost" ? "lost" : slot[1] == "t" ? "active" : "inactive";
        answers.slots[*slot[0]] = {state, as_number(slot[3]), slot[4].value_or("")};
    }
}

void add_slot(api::NodeStatus& node, Answers const& answers) {
    if (node.role == "primary" || !answers.has_slots) return;
    auto const found = answers.slots.find("pgtandem_" + node.name);
    if (found == answers.slots.end()) {
        node.slot = "missing";
        return;
    }
    node.slot = found->second.state;
    node.slot_held_bytes = found->second.held_bytes;
    // "quorum" is PostgreSQL's word for one of ANY n (...).
    node.sync = found->second.sync == "quorum" || found->second.sync == "sync" ? "sync" : "async";
}

template <class Value, class Render>
std::string or_dash(std::optional<Value> const& value, Render render) {
    return value ? render(*value) : "-";
}

std::string cell(std::string const& text) { return text.empty() ? "-" : text; }

std::string render_seconds(double seconds) {
    return human_duration(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
}

std::string summary(api::ClusterStatus const& status) {
    auto text = fmt::format("cluster {}: {}, PostgreSQL {}, durability {}", status.folder, status.state,
                            cell(status.version), status.durability);
    if (status.durability != "async") {
        text += status.sync_set.empty() ? " (no replica holds commits: the primary goes on alone)"
                                        : fmt::format(" (commits wait for {})", join(status.sync_set, " or "));
    }
    text += "\n";
    if (status.lost_if_primary_dies) {
        text += fmt::format("if the primary died now: {} of WAL would be lost\n",
                            human_bytes(*status.lost_if_primary_dies));
    }
    return text;
}

}  // namespace

api::ClusterStatus collect_status(api::Topology const& topology) {
    api::ClusterStatus status;
    status.folder = topology.folder.string();
    status.up_process = topology.up_process;
    status.system_identifier = topology.system_identifier;
    status.durability = topology.durability;
    status.sync_set = topology.sync_set;
    status.is_degraded = topology.durability != "async" && topology.sync_set.empty();
    Answers answers;
    // The primary comes first, so that its LSN is older than what the replicas say: a lag is never made up.
    for (auto const& node : topology.nodes) {
        auto& entry = status.nodes.emplace_back(describe(node));
        ask_server(node, entry, status.version, answers);
    }
    for (auto& node : status.nodes) add_slot(node, answers);
    bool const any_runs =
        std::ranges::any_of(topology.nodes, [](auto const& node) { return node.process != "stopped"; });
    status.state = topology.up_process > 0 ? "up" : any_runs ? "unattended" : "down";
    if (answers.primary_lsn) {
        // Where commits wait for a replica, what was acknowledged is on one.
        bool const is_held = status.durability != "async" && !status.is_degraded;
        auto const written = answers.primary_lsn->value();
        status.lost_if_primary_dies = is_held || written <= answers.most_received ? 0 : written - answers.most_received;
    }
    return status;
}

std::string render_status(api::ClusterStatus const& status) {
    std::vector<std::vector<std::string>> rows{
        {"NODE", "ROLE", "STATE", "TL", "LSN", "LAG", "LAG TIME", "SYNC", "SLOT", "HOLDS", "UPTIME", "PORT", "DISK"}};
    std::string problems;
    for (auto const& node : status.nodes) {
        rows.push_back({node.name, node.role, node.state, node.timeline == 0 ? "-" : std::to_string(node.timeline),
                        cell(node.lsn), or_dash(node.lag_bytes, human_bytes),
                        or_dash(node.lag_ms, [](double ms) { return render_seconds(ms / 1000); }), cell(node.sync),
                        cell(node.slot), or_dash(node.slot_held_bytes, human_bytes),
                        or_dash(node.uptime_seconds, render_seconds), std::to_string(node.port),
                        human_bytes(node.disk_bytes)});
        if (!node.problem.empty()) problems += fmt::format("{}: {}\n", node.name, node.problem);
    }
    return summary(status) + "\n" + render_table(rows) + (problems.empty() ? "" : "\n" + problems);
}

}  // namespace pgtandem::cli
