// A server that runs: what NodeAgent looks at and keeps in order once a second.
#include "agent/node_agent.hpp"

#include <algorithm>

#include "agent/primary_roles.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "instance/configuration.hpp"
#include "instance/initialize.hpp"

namespace pgtandem {

Result<Session> NodeAgent::connect(std::uint16_t port) const {
    auto const conninfo = own_conninfo(context_.paths, context_.credentials, admin_role, port);
    PGTANDEM_TRY(admin, Session::connect(conninfo, Deadline::in(5s)));
    // Our own work never waits for a replica: it is what brings replicas back.
    PGTANDEM_CHECK(admin.query("SET synchronous_commit = local", Deadline::in(5s)));
    return std::move(admin);
}

// Of a replica nothing but its state is asked.
Result<Session*> NodeAgent::session(BoardView const& view) {
    bool const is_another = session_ && session_is_admins_ != is_primary(view);
    if (session_ && (!session_->usable() || is_another || session_->has_been_reserve_long())) session_.reset();
    if (!session_) {
        session_is_admins_ = is_primary(view);
        auto const monitor = own_conninfo(context_.paths, context_.credentials, monitor_role, port_);
        PGTANDEM_TRY(fresh, session_is_admins_ ? connect(port_) : Session::connect(monitor, Deadline::in(5s)));
        session_.emplace(std::move(fresh));
    }
    return &*session_;
}

Status NodeAgent::watch(BoardView const& view) {
    auto const watched = is_primary(view) ? watch_primary(view) : watch_replica(view);
    if (watched) PGTANDEM_CHECK(look_at_settings(view));
    if (!watched) report_.ready = false;
    unready_looks_ = report_.ready && !is_joining_ ? 0 : unready_looks_ + 1;
    if (watched && report_.ready) {
        end_step(is_primary(view) ? "roles" : "stream");
        step_begun_.reset();
        report_.failures = 0;
        report_.pause_seconds = 0;
        report_.error.clear();
        report_.hint.clear();
        seen_.restarting = false;
    }
    return watched;
}

// Whether PostgreSQL has taken our settings, and whether one of ours waits for a restart.
Status NodeAgent::look_at_settings(BoardView const& view) {
    PGTANDEM_TRY(admin, session(view));
    PGTANDEM_TRY(loaded, admin->query("SELECT pg_catalog.pg_conf_load_time()", Deadline::in(5s)));
    if (is_reloading_ && loaded.value() == loaded_at_) return {};
    is_reloading_ = false;
    // Only what our own file asks for: a setting that somebody else changed is theirs to bring into effect.
    PGTANDEM_TRY(waiting, admin->query("SELECT s.name FROM pg_catalog.pg_settings s WHERE s.pending_restart AND "
                                       "(SELECT f.sourcefile FROM pg_catalog.pg_file_settings f WHERE f.name OPERATOR(pg_catalog.=) s.name "
                                       "ORDER BY f.seqno DESC LIMIT 1) OPERATOR(pg_catalog.=) $1",
                                       {(paths_.data() / our_settings_file).string()}, Deadline::in(5s)));
    needs_restart_ = !waiting.empty();
    if (!needs_restart_) seen_.settled_revision = view.revision;
    return {};
}

Status NodeAgent::watch_replica(BoardView const& view) {
    PGTANDEM_TRY(admin, session(view));
    PGTANDEM_TRY(receiver, admin->query("SELECT status FROM pg_catalog.pg_stat_wal_receiver "
                                        "WHERE pg_catalog.pg_is_in_recovery()",
                                        Deadline::in(5s)));
    report_.ready = receiver.value() == "streaming";
    seen_.streams = report_.ready;
    if (report_.ready && is_there(paths_.old())) {
        log::info("{}: the new copy streams; the old data is removed", name_);
        PGTANDEM_CHECK(remove_older(paths_, report_.generation));
    }
    return {};
}

Status NodeAgent::watch_primary(BoardView const& view) {
    if (!is_prepared_) PGTANDEM_CHECK(prepare_primary(view));
    PGTANDEM_CHECK(keep_sync_set(view));
    PGTANDEM_TRY(admin, session(view));
    PGTANDEM_CHECK(keep_grants(*admin));
    report_.ready = true;
    return {};
}

Status NodeAgent::prepare_primary(BoardView const& view) {
    PGTANDEM_TRY(admin, session(view));
    PGTANDEM_TRY(identity,
                 admin->query("SELECT system_identifier FROM pg_catalog.pg_control_system()", Deadline::in(5s)));
    bool const is_new = view.state.system_identifier.empty();
    if (!is_new && identity.value() != view.state.system_identifier) {
        return fail("starting " + name_, paths_.data().string(), "this is another cluster's data");
    }
    PGTANDEM_CHECK(ensure_roles(*admin, context_.credentials));
    for (auto const& [node, entry] : view.state.nodes) {
        if (node != name_ && !entry.removed) PGTANDEM_CHECK(ensure_slot(*admin, node));
    }
    is_prepared_ = true;
    // The replicas may copy from now on; the user's database reaches them by the stream.
    board_.set_primary_answers(true);
    if (is_new) {
        PGTANDEM_CHECK(change_state(context_.store, [&](cluster::ClusterState& state) -> Status {
            state.system_identifier = identity.value();
            return {};
        }));
    }
    return ensure_database(*admin, context_.credentials);
}

Result<std::map<std::string, cluster::ReplicaLink>> NodeAgent::replica_links(BoardView const& view) {
    PGTANDEM_TRY(admin, session(view));
    PGTANDEM_TRY(rows, admin->query("SELECT application_name FROM pg_catalog.pg_stat_replication "
                                    "WHERE state OPERATOR(pg_catalog.=) 'streaming'",
                                    Deadline::in(5s)));
    auto const now = Clock::now();
    for (auto const& row : rows) last_streamed_[row[0].value_or("")] = now;
    std::map<std::string, cluster::ReplicaLink> links;
    for (auto const& [node, entry] : view.state.nodes) {
        if (node == name_ || entry.removed) continue;
        auto const last = last_streamed_.find(node);
        bool const ever = last != last_streamed_.end();
        links[node] = {ever && last->second == now, ever ? now - last->second : std::chrono::nanoseconds::max()};
    }
    return links;
}

std::vector<std::string> NodeAgent::streaming_replicas(BoardView const& view) const {
    std::vector<std::string> names;
    for (auto const& [node, entry] : view.state.nodes) {
        auto const seen = view.seen.find(node);
        if (node != name_ && !entry.removed && seen != view.seen.end() && seen->second.streams) names.push_back(node);
    }
    return names;
}

// A replica joins in PostgreSQL first and then in the store; it leaves the store first. So the store's set is never
// larger than the one that PostgreSQL waits for.
Status NodeAgent::keep_sync_set(BoardView const& view) {
    PGTANDEM_TRY(links, replica_links(view));
    auto const wanted = cluster::choose_sync_set(view.state.durability, links);
    PGTANDEM_TRY(snapshot, context_.store.read());
    std::vector<std::string> agreed;
    if (auto const found = snapshot.keys.find("sync"); found != snapshot.keys.end()) {
        agreed = found->second.value.get<std::vector<std::string>>();
    }
    is_joining_ = cluster::is_joining(view.state.durability, streaming_replicas(view), agreed);
    std::vector<std::string> kept;
    std::ranges::set_intersection(agreed, wanted, std::back_inserter(kept));
    if (kept != agreed) {
        PGTANDEM_CHECK(context_.store.write({{"sync", kept}}));
        if (kept.empty() && view.state.durability == cluster::Durability::sync) {
            log::warn("{}: no replica is left to hold commits; the primary goes on alone", name_);
        }
        agreed = kept;
    }
    if (sync_names_ != wanted) {
        sync_names_ = wanted;
        return configure(view);
    }
    if (agreed == wanted || is_reloading_) return {};
    PGTANDEM_TRY(admin, session(view));
    PGTANDEM_TRY(in_effect, admin->query("SHOW synchronous_standby_names", Deadline::in(5s)));
    if (in_effect.value() != cluster::synchronous_standby_names(wanted)) return {};
    PGTANDEM_CHECK(context_.store.write({{"sync", wanted}}));
    log::info("{}: commits wait for {}", name_, wanted.empty() ? "nobody" : join(wanted, " or "));
    return {};
}

}  // namespace pgtandem
