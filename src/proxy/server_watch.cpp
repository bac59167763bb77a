#include "proxy/server_watch.hpp"

#include <poll.h>

#include <cstdlib>
#include <thread>

#include "pg/lsn.hpp"
#include "proxy/fence.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto look_interval = 250ms;
constexpr auto patience = 2s;
constexpr auto sample_interval = std::chrono::microseconds(500);
constexpr auto awaited_interval = std::chrono::microseconds(150);
constexpr auto fence_patience = 1s;
constexpr auto rest_after_failure = 50ms;

// What a replica receives tells its timeline at once; what its last checkpoint was on may be long ago.
constexpr char const* state_query =
    "SELECT here.replica, "
    "CASE WHEN here.replica THEN (SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver) "
    "ELSE ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::int END, "
    "CASE WHEN here.replica THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END, "
    "pg_catalog.current_setting('synchronous_commit') = 'off' OR EXISTS (SELECT FROM pg_catalog.pg_db_role_setting, "
    "pg_catalog.unnest(setconfig) AS setting WHERE setting = 'synchronous_commit=off') "
    "FROM (SELECT pg_catalog.pg_is_in_recovery() AS replica) AS here";

// One that is a primary no more has no such positions, and gives an error.
constexpr char const* sample_query = "SELECT pg_catalog.pg_current_wal_flush_lsn(), pg_catalog.pg_current_wal_insert_lsn()";
constexpr char const* follow_query = "SELECT pg_catalog.pg_last_wal_replay_lsn()";

std::uint64_t lsn_of(std::optional<std::string> const& text) {
    auto const lsn = parse_lsn(text.value_or(""));
    return lsn ? lsn->value() : 0;
}

}  // namespace

ServerWatch::ServerWatch(WatchedServer server, RoutingBoard const& board, Samples& samples, PrimaryHistory& history,
                         FindPrimary find_primary)
    : server_(std::move(server)),
      board_(board),
      samples_(samples),
      history_(history),
      find_primary_(std::move(find_primary)),
      part_(server_.is_primary),
      thread_([this] { run(); }) {}

ServerWatch::~ServerWatch() {
    stop_.request();
    thread_.join();
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
    auto next_look = Clock::now();
    while (!stop_.requested()) {
        if (Clock::now() >= next_look) {
            look();
            next_look = Clock::now() + look_interval;
        } else if (is_primary()) {
            sample();
        } else {
            follow();
            fence_reads();
        }
        wait(next_look);
    }
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
    if (session_) return &*session_;
    PGTANDEM_TRY(session, Session::connect(server_.conninfo, Deadline::in(patience)));
    session_ = std::move(session);
    timeline_ = 0;
    return &*session_;
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
    ServerSeen seen{true, "", row[0] == "t", 0, lsn_of(row[2]), row[3] == "t"};
    // A replica that was seen to follow a timeline stays on it as long as it runs, also while it receives nothing.
    if (row[1]) timeline_ = static_cast<std::uint32_t>(std::strtoul(row[1]->c_str(), nullptr, 10));
    seen.timeline = timeline_;
    if (seen.in_recovery) note_replayed(seen.position, begun);
    else if (is_primary()) history_.note(board_.current()->epoch, begun, seen.position);
    return seen;
}

void ServerWatch::note_replayed(std::uint64_t lsn, Clock::time_point when) {
    position_->set_replayed(lsn);
    position_->set_lag(history_.lag(lsn, when));
    samples_.tell_news();
}

void ServerWatch::sample() {
    auto const routing = board_.current();
    auto const ticket = samples_.last_ticket();
    if (ticket == covered_) return;
    auto const rows = ask(sample_query);
    if (!rows) return;
    auto const& row = *rows->begin();
    samples_.publish({ticket, routing->epoch, lsn_of(row[0]), lsn_of(row[1])});
    covered_ = ticket;
    samples_.tell_news();
}

void ServerWatch::follow() {
    auto const begun = Clock::now();
    if (position_->wanted() <= position_->replayed()) return;
    if (auto const rows = ask(follow_query)) note_replayed(lsn_of((*rows->begin())[0]), begun);
}

// One check serves all who have left this replica before it began.
void ServerWatch::fence_reads() {
    auto const ticket = position_->last_fence();
    if (ticket == fence_tried_) return;
    fence_tried_ = ticket;
    if (auto const fenced = fence_once(); !fenced) {
        primary_session_.reset();
        return;
    }
    position_->set_fenced(ticket);
    samples_.tell_news();
}

Status ServerWatch::fence_once() {
    auto const deadline = Deadline::in(fence_patience);
    if (!session_ || !session_->usable()) return fail("fencing", server_.name, "it cannot be reached");
    if (!primary_session_ || !primary_session_->usable()) {
        auto const conninfo = find_primary_();
        if (!conninfo) return fail("fencing", server_.name, "there is no primary");
        PGTANDEM_TRY(session, Session::connect(*conninfo, Deadline::in(patience)));
        primary_session_ = std::move(session);
        primary_epoch_ = board_.current()->epoch;
    }
    if (primary_epoch_ != board_.current()->epoch) return fail("fencing", server_.name, "the primary is another one now");
    return fence(*session_, *primary_session_, deadline);
}

// A question in between two looks; one that fails is left to the next look.
std::optional<Rows> ServerWatch::ask(char const* query) {
    if (!session_ || !session_->usable()) {
        stop_.wait_for(rest_after_failure);
        return std::nullopt;
    }
    position_->begin_question(Clock::now());
    auto rows = session_->query(query, Deadline::in(patience));
    position_->end_question();
    if (rows && !rows->empty()) return std::move(*rows);
    if (!rows && rows.error().sqlstate.empty()) session_.reset();
    stop_.wait_for(rest_after_failure);
    return std::nullopt;
}

void ServerWatch::wait(Clock::time_point next_look) {
    bool const samples = is_primary();
    auto const is_wanted = [&] {
        if (samples) return samples_.last_ticket() != covered_;
        return is_fence_wanted() || (samples_.has_waiters() && position_->wanted() > position_->replayed());
    };
    // Those who come within a moment are served together.
    if (is_wanted()) return std::this_thread::sleep_for(samples_.has_waiters() ? awaited_interval : sample_interval);
    auto& bell = samples ? samples_.bell() : position_->bell();
    bell.sleeps();
    pollfd entries[] = {{stop_.fd(), POLLIN, 0}, {bell.fd(), POLLIN, 0}};
    if (!is_wanted()) ::poll(entries, 2, Deadline::in(next_look - Clock::now()).poll_milliseconds());
    bell.is_awake();
}

}  // namespace pgtandem::proxy
