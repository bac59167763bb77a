// The endpoint's settings as one immutable value: a reload makes a new one, running sessions keep theirs until they look again.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/files.hpp"
#include "io/loop.hpp"

namespace pgtandem::proxy {

enum class PoolMode {
    transparent,  // a transaction at a time, and PostgreSQL's session semantics: pinned where nothing else is right
    transaction,  // a transaction at a time, settings and protocol-level prepared statements carried along, nothing pinned
    session,      // a backend for each client as long as it stays
};

enum class TlsMode { off, allow, require };  // of clients

// What a read has seen at least.
enum class Consistency : std::uint8_t {
    eventual,  // whatever a replica has
    bounded,   // nothing older than max_lag_ms
    session,   // the session's own writes, and never less than before
    endpoint,  // each commit that this endpoint had told anybody of before the read began, too
    strict,    // each commit that anybody was told of before the read began
};
inline constexpr auto consistencies = std::to_array<std::pair<std::string_view, Consistency>>({{"eventual", Consistency::eventual},
                                                                                               {"bounded", Consistency::bounded},
                                                                                               {"session", Consistency::session},
                                                                                               {"endpoint", Consistency::endpoint},
                                                                                               {"strict", Consistency::strict}});

struct ServerWeight {
    std::string server;
    unsigned weight = 1;  // its share of the reads; 0: none
};

struct EndpointSettings {
    std::vector<std::string> listen{"127.0.0.1"};  // numeric addresses
    std::uint16_t port = 6432;                     // to the primary
    std::uint16_t reads_port = 6433;               // to the replicas; 0: none
    Path unix_socket_folder{};                     // .s.PGSQL.<port> there, or none
    io::LoopKind io = io::LoopKind::automatic;
    unsigned threads = 0;  // 0: one for every two cores

    PoolMode pool_mode = PoolMode::transparent;
    std::size_t pool_size = 20;             // backends per server, database and user
    std::size_t server_connections = 80;    // backends per server
    std::size_t client_connections = 20000;
    std::size_t user_client_connections = 0;  // per user and per database; 0: as PostgreSQL's own limits say
    std::size_t queue_length = 10000;         // clients that wait for a backend

    // 0: no limit
    std::chrono::milliseconds login_timeout{60'000};
    std::chrono::milliseconds connect_timeout{15'000};
    std::chrono::milliseconds query_wait_timeout{120'000};
    std::chrono::milliseconds client_idle_timeout{0};
    std::chrono::milliseconds idle_in_transaction_timeout{0};
    std::chrono::milliseconds client_stall_timeout{300'000};  // a client that does not take its results holds a backend so long
    std::chrono::milliseconds server_idle_timeout{600'000};
    std::chrono::milliseconds server_lifetime{3'600'000};
    std::chrono::milliseconds drain_timeout{300'000};  // how long clients may stay when another process has taken over

    bool split = true;  // reads on the endpoint's port are shared with the replicas
    Consistency consistency = Consistency::endpoint;
    std::chrono::milliseconds max_lag{10'000};   // a replica that is further behind gets no reads, but for 'eventual' ones; 0: no limit
    std::chrono::milliseconds floor_wait{10};    // how long a read waits for a replica that is nearly there
    std::vector<ServerWeight> weights{};         // 1 for who is not named
    std::vector<std::string> read_only_functions{};  // may run on a replica, whatever the catalog says
    std::vector<std::string> primary_functions{};    // never on a replica

    std::size_t prepared_statements = 500;      // kept on each backend
    bool check_sharing = false;  // backends are asked what they hold when they are given back: slow, for tests
    std::size_t analysed_bytes = 1 << 20;       // a longer statement is not looked at: it pins

    TlsMode tls = TlsMode::allow;  // off where there is no certificate
    Path tls_certificate{};
    Path tls_key{};
    Path tls_client_ca{};

    std::vector<std::string> console_admins{};  // besides superusers
    std::vector<std::string> console_readers{};  // besides members of pg_monitor
    std::vector<std::string> refused_users{};    // may not log in here: pgtandem's own roles
};

}  // namespace pgtandem::proxy
