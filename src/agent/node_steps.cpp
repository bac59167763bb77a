// The steps that change a node: what NodeAgent does when its rules say so.
#include "agent/node_agent.hpp"

#include "agent/primary_roles.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "instance/configuration.hpp"
#include "instance/data_folders.hpp"
#include "instance/initialize.hpp"
#include "io/processes.hpp"

namespace pgtandem {

Status NodeAgent::perform(cluster::NodeRule const& rule, BoardView const& view) {
    switch (rule.then) {
        case Intent::rest:
        case Intent::look_again:
        case Intent::wait_to_start:
        case Intent::wait_for_primary:
        case Intent::wait_for_server: return {};
        case Intent::refuse: return fail("starting " + name_, paths_.data().string(), std::string(rule.because));
        case Intent::initialize: return initialize_data(view);
        case Intent::clone: return clone_primary(view);
        case Intent::install: return install_clone(paths_);
        case Intent::configure: return configure(view);
        case Intent::start: return launch();
        case Intent::restart:
            if (!is_primary(view) && !board_.begin_restart(name_)) return {};
            seen_.restarting = true;
            return stop();
        case Intent::stop: return stop();
        case Intent::remove: return remove(view);
        case Intent::watch: return watch(view);
    }
    return {};
}

Status NodeAgent::initialize_data(BoardView const& view) {
    PGTANDEM_CHECK(make_directory(paths_.folder));
    PGTANDEM_CHECK(end_leftover_tools(paths_));
    PGTANDEM_TRY(settings, wanted_settings(view));
    return initialize(context_.programs, paths_, settings, render_hba(view.state.listen),
                      context_.credentials, interrupt_);
}

Status NodeAgent::clone_primary(BoardView const& view) {
    PGTANDEM_CHECK(make_directory(paths_.folder));
    PGTANDEM_CHECK(end_leftover_tools(paths_));
    auto const primary_port = view.state.nodes.at(view.state.primary).port;
    PGTANDEM_TRY(admin, connect(primary_port));
    PGTANDEM_CHECK(ensure_slot(admin, name_));
    PGTANDEM_TRY(locations, tablespace_locations(admin));
    CloneSource const source{replication_conninfo(context_.paths, primary_port, name_ + "_clone"), locations};
    auto const generation = view.state.nodes.at(name_).generation;
    log::info("{}: copies the primary{}", name_,
              is_there(paths_.data()) ? "; the old data stays until the copy streams" : "");
    PGTANDEM_TRY(settings, wanted_settings(view));
    return clone(context_.programs, paths_, source, settings, generation, interrupt_,
                 [&](CloneProgress progress) {
                     report_.done_bytes = progress.done_bytes;
                     report_.total_bytes = progress.total_bytes;
                     publish();
                 });
}

Status NodeAgent::configure(BoardView const& view) {
    PGTANDEM_TRY(settings, wanted_settings(view));
    PGTANDEM_CHECK(write_settings(paths_.data(), settings, !is_primary(view)));
    if (server_.state != ServerState::running) return {};
    PGTANDEM_TRY(admin, connect(port_));
    PGTANDEM_TRY(before, admin.query("SELECT pg_catalog.pg_conf_load_time()", Deadline::in(5s)));
    loaded_at_ = before.value();
    is_reloading_ = true;
    seen_.settled_revision = 0;
    PGTANDEM_CHECK(admin.query("SELECT pg_catalog.pg_reload_conf()", Deadline::in(5s)));
    return {};
}

Status NodeAgent::launch() {
    step_begun_ = Clock::now();
    PGTANDEM_TRY(guard, launch_server(context_.programs, paths_, context_.paths.socket(port_), context_.self));
    was_launched_ = true;
    life_ = {Clock::now(), false};
    server_ = {ServerState::starting, guard, 0};
    seen_.has_ended = false;
    guard_watch_ = watch_process(guard);
    return {};
}

Status NodeAgent::stop() {
    was_asked_to_stop_ = true;
    return ask_server_to_stop(paths_);
}

Status NodeAgent::remove(BoardView const& view) {
    PGTANDEM_TRY(has_folder, look_for(paths_.folder));
    if (has_folder) {
        log::info("{}: is removed with its data, {}", name_, human_bytes(disk_usage(paths_.folder)));
        PGTANDEM_CHECK(end_leftover_tools(paths_));
        PGTANDEM_CHECK(end_leftover_servers(paths_.data()));
        PGTANDEM_TRY(admin, connect(view.state.nodes.at(view.state.primary).port));
        PGTANDEM_CHECK(drop_slot(admin, name_));
        PGTANDEM_CHECK(remove_with_data(paths_.folder));
    }
    PGTANDEM_CHECK(change_state(context_.store, [&](cluster::ClusterState& state) -> Status {
        state.nodes.erase(name_);
        return {};
    }));
    PGTANDEM_CHECK(context_.reports.write({{"nodes/" + name_, nullptr}}));
    return {};
}

}  // namespace pgtandem
