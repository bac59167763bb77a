#include "proxy/server_watch.hpp"

#include <cstdlib>
#include <utility>

#include "pg/lsn.hpp"
#include "pg/own_session.hpp"
#include "proxy/backend.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto look_interval = 250ms;
constexpr auto patience = 2s;

// What a replica receives tells its timeline at once; what its last checkpoint was on may be long ago.
constexpr char const* state_query =
    "SELECT here.replica, "
    "CASE WHEN here.replica THEN (SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver) "
    "ELSE ('x' OPERATOR(pg_catalog.||) pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::int END, "
    "CASE WHEN here.replica THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_flush_lsn() END, "
    "pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off' OR EXISTS (SELECT FROM pg_catalog.pg_db_role_setting, "
    "pg_catalog.unnest(setconfig) AS setting WHERE setting OPERATOR(pg_catalog.=) 'synchronous_commit=off'), "
    "pg_catalog.pg_conf_load_time() "
    "FROM (SELECT pg_catalog.pg_is_in_recovery() AS replica) AS here";

// Of the sessions that the workers open to ask how far it is.
std::shared_ptr<ServerLogin const> login_of(Conninfo const& conninfo, std::string const& user, std::string const& password) {
    if (user.empty()) return nullptr;
    ServerLogin login{user,
                      {{"user", user},
                       {"database", conninfo.database},
                       {"application_name", conninfo.application_name},
                       {"client_encoding", "UTF8"}}};
    login.parameters.insert(login.parameters.end(), std::begin(own_session_settings), std::end(own_session_settings));
    login.password = password;
    return std::make_shared<ServerLogin const>(std::move(login));
}

}  // namespace

ServerWatch::ServerWatch(WatchedServer server, RoutingBoard const& board, PrimaryHistory& history)
    : server_(std::move(server)),
      login_(login_of(server_.conninfo, server_.conninfo.user, server_.conninfo.password)),
      reserve_login_(login_of(server_.conninfo, server_.conninfo.reserve_user, server_.conninfo.reserve_password)),
      board_(board),
      history_(history),
      part_(server_.is_primary),
      thread_([this] { run(); }) {}

ServerWatch::~ServerWatch() {
    stop_.request();
    thread_.join();
}

std::shared_ptr<ServerPosition> ServerWatch::position() const {
    std::lock_guard const guard(mutex_);
    return position_;
}

std::optional<ServerSeen> ServerWatch::seen() const {
    std::lock_guard const guard(mutex_);
    bool const hangs = asked_at_ != Clock::time_point() && Clock::now() - asked_at_ > patience;
    if (hangs) return ServerSeen{false, "it does not answer"};
    return seen_;
}

bool ServerWatch::is_primary() const {
    auto const routing = board_.current();
    auto const* const primary = routing->primary();
    return primary != nullptr && primary->name == server_.name;
}

void ServerWatch::run() {
    do look();
    while (!stop_.wait_for(look_interval));
}

void ServerWatch::look() {
    {
        std::lock_guard const guard(mutex_);
        asked_at_ = Clock::now();
    }
    position_->begin_question(Clock::now());
    bool const was_connected = session_.has_value();
    auto seen = look_once();
    // That a session was ended says nothing of the server: a new one does. A server that is silent has had its time.
    bool const is_worth_another = !seen && was_connected && seen.error().kind != ErrorKind::timed_out;
    if (is_worth_another) seen = look_once();
    position_->end_question();
    std::lock_guard const guard(mutex_);
    asked_at_ = {};
    seen_ = seen ? *seen : ServerSeen{false, seen.error().line()};
}

Result<Session*> ServerWatch::session() {
    if (session_ && !session_->usable()) session_.reset();
    if (session_ && !session_->has_been_reserve_long()) return &*session_;
    PGTANDEM_TRY(session, Session::connect(server_.conninfo, Deadline::in(patience)));
    session_ = std::move(session);
    timeline_ = 0;
    configured_at_.clear();
    is_another_life_ = std::exchange(has_been_seen_, true);
    return &*session_;
}

// The session was lost: it may have been the server's end. A replica that is back after a crash may show less than before, so
// what its sessions have read there is to be asked of it anew.
void ServerWatch::begin_another_life() {
    auto next = std::make_shared<ServerPosition>();
    next->back_since(Clock::now());
    std::lock_guard const guard(mutex_);
    position_ = std::move(next);
}

Status ServerWatch::look_at_configuration(Session& session, std::string const& configured_at) {
    if (configured_at == configured_at_) return {};
    auto const rows = session.query(first_path_query, Deadline::in(patience));
    if (!rows) {
        session_.reset();
        return fail(rows.error());
    }
    search_path_ = (*rows->begin())[0].value_or("");
    configured_at_ = configured_at;
    return {};
}

Result<ServerSeen> ServerWatch::look_once() {
    PGTANDEM_TRY(session, this->session());
    auto const begun = Clock::now();
    auto const rows = session->query(state_query, Deadline::in(patience));
    if (!rows) {
        session_.reset();
        return fail(rows.error());
    }
    auto const& row = *rows->begin();
    ServerSeen seen{true, "", row[0] == "t", 0, lsn_or_zero(row[2].value_or("")).value(), row[3] == "t"};
    // A replica that was seen to follow a timeline stays on it as long as it runs, also while it receives nothing.
    if (row[1]) timeline_ = static_cast<std::uint32_t>(std::strtoul(row[1]->c_str(), nullptr, 10));
    seen.timeline = timeline_;
    PGTANDEM_CHECK(look_at_configuration(*session, row[4].value_or("")));
    seen.configured_at = configured_at_;
    seen.search_path = search_path_;
    if (std::exchange(is_another_life_, false)) begin_another_life();
    if (seen.in_recovery) {
        position_->set_replayed(seen.position);
        position_->set_lag(history_.lag(seen.position, begun));
    } else if (is_primary()) {
        history_.note(board_.current()->epoch, begun, seen.position);
    }
    return seen;
}

}  // namespace pgtandem::proxy
