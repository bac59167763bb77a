#include "apps/endpoint.hpp"

#include <fmt/format.h>

#include <mutex>

#include "base/log.hpp"
#include "base/text.hpp"
#include "instance/configuration.hpp"
#include "instance/preflight.hpp"
#include "proxy/settings_table.hpp"

namespace pgtandem::apps {

namespace {

// The other one may have to end what its agents do first.
constexpr auto takeover_patience = std::chrono::seconds(15);

// The flags of `up` that are the endpoint's, and its own names for them.
constexpr std::pair<char const*, char const*> flags[] = {
    {"endpoint-port", "port"}, {"reads-port", "reads_port"}, {"pool-mode", "pool_mode"}, {"pool-size", "pool_size"},
    {"check-sharing", "check_sharing"}};

// Our own roles are nobody's to log in with, but for the replication role: a replica may come through the endpoint.
std::vector<std::string> const own_logins{admin_role, logins_role, monitor_role, catalog_role};

// The cluster's servers as the store names them. Where it cannot be read they are still those of the last time. Thread-safe.
class ServersOfCluster {
public:
    explicit ServersOfCluster(Cluster const& cluster) : cluster_(cluster) {}

    std::vector<proxy::WatchedServer> list() {
        auto now = read();
        std::lock_guard const guard(mutex_);
        if (now) last_ = std::move(*now);
        return last_;
    }

private:
    Result<std::vector<proxy::WatchedServer>> read() const {
        PGTANDEM_TRY(snapshot, cluster_.store.read());
        PGTANDEM_TRY(state, read_state(snapshot));
        std::vector<proxy::WatchedServer> servers;
        for (auto const& [name, entry] : state.nodes) {
            if (entry.removed) continue;
            servers.push_back({name, own_conninfo(cluster_.paths, cluster_.credentials, monitor_role, entry.port), name == state.primary});
        }
        return servers;
    }

    Cluster const& cluster_;
    std::mutex mutex_;
    std::vector<proxy::WatchedServer> last_;
};

}  // namespace

Result<proxy::EndpointSettings> endpoint_settings(cluster::ClusterState const& state) {
    proxy::EndpointSettings settings;
    settings.refused_users = own_logins;
    for (auto const& [name, value] : state.endpoint) {
        PGTANDEM_CHECK(proxy::set_endpoint_setting(settings, name, value, "cluster"));
    }
    return settings;
}

Status take_endpoint_settings(cluster::ClusterState& state, cli::Settings const& settings, bool is_running) {
    PGTANDEM_TRY(before, endpoint_settings(state));
    auto wanted = state.endpoint;
    for (auto const& [name, setting] : settings.endpoint()) wanted[name] = setting.value;
    for (auto const& [flag, name] : flags) {
        auto const& setting = settings.at(flag);
        if (setting.is_given) wanted[name] = setting.value;
    }
    proxy::EndpointSettings after;
    after.refused_users = own_logins;
    for (auto const& [name, value] : wanted) {
        auto const from = settings.endpoint().find(name);
        PGTANDEM_CHECK(proxy::set_endpoint_setting(after, name, value, from == settings.endpoint().end() ? "up" : from->second.source));
    }
    auto const restarts = proxy::needing_restart(before, after);
    if (is_running && !restarts.empty()) {
        return fail("changing the endpoint's setting", join(restarts, ", "), "it cannot change while the cluster runs",
                    "pgtandem down, then pgtandem up again");
    }
    state.endpoint = std::move(wanted);
    return {};
}

Status check_endpoint_ports(cluster::ClusterState const& state) {
    PGTANDEM_TRY(settings, endpoint_settings(state));
    if (settings.port == 0) return {};
    for (auto const port : {settings.port, settings.reads_port}) {
        if (port == 0) continue;
        for (auto const& [name, entry] : state.nodes) {
            if (entry.port != port || entry.removed) continue;
            return usage_error("checking the port for the endpoint", std::to_string(port), name + " has it", "another --endpoint-port");
        }
        auto checked = check_port("the endpoint", join(settings.listen, ","), port);
        if (!checked) return fail(std::move(checked.error()).with_hint("--endpoint-port and --reads-port with others"));
    }
    return {};
}

RunningEndpoint::RunningEndpoint(proxy::EndpointSettings const& settings, Servers servers)
    : servers_(std::move(servers)),
      nodes_(board_, servers_.list),
      desk_([this] { return find_logins(); }),
      catalog_(std::make_unique<proxy::CatalogWatch>([this](std::string const& database) { return find_catalog(database); },
                                                     [this] { return overrides(); })),
      endpoint_(settings, board_, desk_, *catalog_, servers_.read_settings) {}

RunningEndpoint::~RunningEndpoint() {
    handover_.reset();  // its thread uses the rest
    endpoint_.stop();
    catalog_.reset();  // its threads ask the endpoint for its settings
}

sql::FunctionOverrides RunningEndpoint::overrides() const {
    auto const settings = endpoint_.settings();
    sql::FunctionOverrides overrides;
    overrides.read_only.insert(settings->read_only_functions.begin(), settings->read_only_functions.end());
    overrides.primary.insert(settings->primary_functions.begin(), settings->primary_functions.end());
    return overrides;
}

// The primary; a replica knows the roles as well, where there is none.
Result<Conninfo> RunningEndpoint::find_server(std::string const& database) const {
    auto const routing = board_.current();
    for (bool const wants_primary : {true, false}) {
        for (auto const& server : servers_.list()) {
            auto const* const entry = routing->find(server.name);
            if (entry == nullptr || !entry->is_usable || entry->is_primary != wants_primary) continue;
            auto conninfo = server.conninfo;
            conninfo.database = database;
            return conninfo;
        }
    }
    return fail("looking for a server", "", "none can be used at present");
}

// Databases belong to ordinary roles: who reads their catalogs is to have no rights that somebody there could want.
Result<Conninfo> RunningEndpoint::find_catalog(std::string const& database) const {
    PGTANDEM_TRY(conninfo, find_server(database));
    if (!servers_.catalog) return conninfo;
    conninfo.user = servers_.catalog->user;
    conninfo.password = servers_.catalog->password;
    conninfo.reserve_user.clear();
    conninfo.reserve_password.clear();
    return conninfo;
}

Result<Conninfo> RunningEndpoint::find_logins() const {
    PGTANDEM_TRY(conninfo, find_server("postgres"));
    if (!servers_.logins) return conninfo;
    conninfo.user = servers_.logins->user;
    conninfo.password = servers_.logins->password;
    return conninfo;
}

Result<std::unique_ptr<RunningEndpoint>> RunningEndpoint::open(proxy::EndpointSettings const& settings, Servers servers,
                                                               Succession succession) {
    std::unique_ptr<RunningEndpoint> made;
    try {
        made.reset(new RunningEndpoint(settings, std::move(servers)));
        made->nodes_.start();
    } catch (std::exception const& fault) {
        return fail("opening the endpoint", "", fault.what());  // no thread or no descriptor is left
    }
    PGTANDEM_CHECK(made->endpoint_.start(std::exchange(succession.takeover, std::nullopt)));
    made->offer(std::move(succession));
    log::info("endpoint: open on port {}", settings.port);
    return made;
}

// Without an offer all else works.
void RunningEndpoint::offer(Succession succession) {
    auto offered = proxy::Handover::offer(
        proxy::handover_name(*endpoint_.settings()),
        {[this, make_way = std::move(succession.make_way)] {
             // Both serve until one of them ends, and each acknowledges what the other does not know of.
             endpoint_.share_with_next(true);
             auto const way = make_way();
             if (!way) endpoint_.share_with_next(false);
             return way;
         },
         [this]() -> auto const& { return endpoint_.sockets(); },
         [this, take_back = std::move(succession.take_back)] {
             take_back();
             endpoint_.share_with_next(false);
         },
         [this, given = std::move(succession.given)] {
             endpoint_.stop_listening();
             given();
         },
         [this](std::uint32_t process_id, std::string const& key, std::function<void()> delivered) {
             endpoint_.cancel(process_id, key, std::move(delivered));
         }});
    if (offered) handover_ = std::move(*offered);
    else log::warn("{}; --takeover will not find this process", offered.error().line());
}

bool RunningEndpoint::drain(std::function<bool()> const& stops) {
    auto const timeout = endpoint_.settings()->drain_timeout;
    log::info("endpoint: another process serves now; the clients that are here may stay for {}", human_duration(timeout));
    endpoint_.drain(timeout.count() > 0 ? Deadline::in(timeout) : Deadline::never(), stops);
    return endpoint_.stop();
}

Result<std::unique_ptr<RunningEndpoint>> RunningEndpoint::open(Cluster const& cluster, Succession succession) {
    PGTANDEM_TRY(settings, endpoint_settings(cluster.state));
    if (settings.port == 0) return std::unique_ptr<RunningEndpoint>();
    auto const read = [&cluster]() -> Result<proxy::EndpointSettings> {
        PGTANDEM_TRY(snapshot, cluster.store.read());
        PGTANDEM_TRY(state, read_state(snapshot));
        return endpoint_settings(state);
    };
    auto const servers = std::make_shared<ServersOfCluster>(cluster);
    auto const& credentials = cluster.credentials;
    return open(settings,
                {[servers] { return servers->list(); }, read, RoleLogin{logins_role, credentials.logins_password},
                 RoleLogin{catalog_role, credentials.catalog_password}},
                std::move(succession));
}

Result<std::optional<proxy::Takeover>> take_over(proxy::EndpointSettings const& settings) {
    return proxy::Takeover::ask(proxy::handover_name(settings), Deadline::in(takeover_patience));
}

}  // namespace pgtandem::apps
