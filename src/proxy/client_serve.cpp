// A client that is logged in: it joins a pool, is greeted as by a server, and is served until it leaves.
#include <stdexcept>

#include "base/log.hpp"
#include "pg/quoting.hpp"
#include "proxy/application_name.hpp"
#include "proxy/client_session.hpp"
#include "proxy/worker.hpp"
#include "wire/backend.hpp"
#include "wire/framing.hpp"

namespace pgtandem::proxy {

namespace {

// Pins whose state DISCARD ALL takes away whole; after any other the backend is not given to somebody else. A schema for temporary
// tables stays.
constexpr sql::Pins resettable() {
    using enum sql::Pin;
    return prepared_statement | statement_names | listen | hold_cursor | advisory_lock | sequence | drawn_number | backend_identity | mode;
}

// Turns of one session in which nothing is taken from either side. A few are needed where a place or a queue refuses it.
constexpr int most_idle_steps = 100;
constexpr std::size_t small_statement = 8 << 10;
// So long a BEGIN waits for the statement that says where its transaction may run.
constexpr auto begin_delay = std::chrono::milliseconds(10);

}  // namespace

io::Task<bool> ClientSession::join_pool() {
    login_->user = user_;
    login_->parameters = parameters_;
    login_->parameters.emplace_back("user", user_);
    login_->parameters.emplace_back("database", database_);
    if (!application_name_.empty() && replication_.empty()) {
        state_.begin_with("application_name", "SET application_name TO " + quoted_literal(application_name_));
    }
    view_ = &worker_.view_of(database_);
    relay_.emplace(*stream_, state_, static_cast<RelayHost&>(*this), settings_, worker_.reported_registry(), target_ == Target::primary);
    if (!replication_.empty()) {
        bool const has_begun = co_await begin_replication();
        co_return has_begun;
    }
    if (settings_->pool_mode == PoolMode::transaction) state_.never_pin();
    if (settings_->pool_mode == PoolMode::session) state_.pin(sql::Pin::mode, "pool_mode session");
    // Its backend is one that has logged in since there is a trigger, and nobody else's before or after.
    bool const is_by_trigger = settings_->pool_mode != PoolMode::transaction && view_->has_login_trigger();
    if (is_by_trigger) state_.pin(sql::Pin::login_trigger, "event trigger on login");
    pool_ = &worker_.pool_for({target_, "", database_, user_, parameters_, facts_->settings_version + (is_by_trigger ? 1 : 0), facts_->identity});
    ++pool_->sessions;
    pool_->set_login(login_);
    facts_.reset();
    // A client that is told of a backend nobody else was told of can rely on its process id.
    bool const needs_backend = is_by_trigger || !pool_->first_reported() || worker_.should_begin_with_a_backend(*pool_);
    bool has_backend = !needs_backend;
    if (needs_backend) has_backend = co_await wait_for_backend();
    co_return has_backend && welcome();
}

io::Task<bool> ClientSession::begin_replication() {
    login_->parameters.emplace_back("replication", replication_);
    // A walsender takes no SET: it is to begin with the name.
    if (!application_name_.empty()) login_->parameters.emplace_back("application_name", application_name_);
    own_pool_ = worker_.make_own_pool({target_, "", database_, user_, login_->parameters, 0});
    pool_ = own_pool_.get();
    pool_->set_login(login_);
    state_.pin(sql::Pin::replication, "replication=" + replication_);
    relay_->become_raw();
    bool const has_backend = co_await wait_for_backend();
    co_return has_backend && welcome();
}

// At login, when there is nothing to answer yet: a refusal is the end.
io::Task<bool> ClientSession::wait_for_backend() {
    if (acquire(Route::primary, {})) co_return true;
    while (is_waiting_ && !login_timed_out_ && !end_reason_ && stream_->health() == io::Health::open && !stream_->at_end()) {
        co_await event_.wait();
    }
    if (backend() != nullptr) co_return true;
    pool_->leave(id_);
    is_waiting_ = false;
    end_lease();
    if (end_reason_) {
        end_reason_->severity = end_reason_->severity_nonlocal = "FATAL";
        co_return say_goodbye(*end_reason_);
    }
    co_return fatal("53300", "no backend became free within the login timeout");
}

bool ClientSession::welcome() {
    if (login_timed_out_) return false;
    auto const* const attached = backend();
    auto& out = stream_->output();
    // The settings on their way to the backend are told when it has them.
    auto const& first = attached != nullptr && replication_.size() > 0 ? attached->reported : pool_->first_reported();
    ReportedRef present = first ? first : attached->reported;
    // What the server has said when the first backend of its kind began is said to everyone.
    for (auto const& notice : pool_->first_notices()) wire::write_notice_response(out, notice);
    if (!application_name_.empty() && replication_.empty()) {
        auto const name = application_name_at_login(application_name_, value_of(present, "server_encoding"), value_of(present, "server_version"));
        if (name.notice) wire::write_notice_response(out, *name.notice);
        present = worker_.reported_registry().with(present, "application_name", name.value);
    }
    write_differences(out, nullptr, present);
    relay_->set_seen(present);
    worker_.register_for_cancel(*this, minor_version_, attached, told_process_id_, cancel_key_);
    if (attached != nullptr) {
        home_ = attached->id;
        ++backend()->homes;
    }
    wire::BackendKeyData{told_process_id_, cancel_key_}.write(out);
    wire::ReadyForQuery{'I'}.write(out);
    stream_->flush();
    login_.reset();
    is_serving_ = true;
    ++stats().logins;
    timer_->stop();
    return true;
}

io::Task<> ClientSession::serve() {
    if (backend() != nullptr && backend()->expected.empty() && !state_.is_pinned()) give_backend_back();
    while (!is_leaving_) {
        step_until_still();
        if (is_leaving_) break;
        stream_->flush();
        set_timer();
        co_await event_.wait();
    }
}

// A fault of the endpoint's may end a session, but must not keep the worker from all others.
void ClientSession::step_until_still() {
    auto progress = relay_->progress();
    for (int idle_steps = 0;; ++idle_steps) {
        bool const goes_on = step();
        if (std::exchange(progress, relay_->progress()) != relay_->progress()) {
            idle_steps = 0;
            long_text_.reset();
        }
        if (!goes_on) return;
        if (idle_steps > most_idle_steps) throw std::logic_error("a session turns without getting on");
    }
}

// Takes what there is as far as it goes. True: at once again.
bool ClientSession::step() {
    if (end_reason_) {
        say_goodbye(*end_reason_);
        is_leaving_ = true;
        return false;
    }
    if (std::exchange(is_replica_lost_, false) && is_reading_on_replica()) {
        if (!relay_->can_ask_elsewhere()) {
            end(make_error("FATAL", "57P01", "terminating connection: the replica that answered it has ceased to"));
            return true;
        }
        ask_elsewhere();
    }
    // What the client says next may need no backend.
    if (begins_unasked_ && relay_->has_input()) stop_beginning();
    if (is_waiting_ || is_waiting_for_facts_ || is_waiting_to_read_ || is_awaiting_news_) {
        if (stream_->health() == io::Health::broken || (stream_->at_end() && !relay_->has_input())) is_leaving_ = true;
        return false;
    }
    switch (relay_->run()) {
        using enum Relay::Outcome;
        case waiting: return false;
        case need_backend: return !is_waiting_ && !is_awaiting_news_ && !is_waiting_to_read_;  // in the queue since acquire(), or refused: taken to its end at once
        case need_facts: wait_for_facts(); return false;
        case idle:
            // On a replica nothing pins.
            if (!state_.is_pinned() || is_reading_on_replica()) give_backend_back();
            return relay_->has_input() || stream_->at_end();
        case elsewhere: ask_elsewhere(); return true;
        case leave: is_leaving_ = true; return false;
        case misbehaved:
            say_goodbye(relay_->error());
            is_leaving_ = true;
            return false;
        case broken:
            if (!relay_->error().message.empty()) say_goodbye(relay_->error());
            is_leaving_ = true;
            return false;
    }
    return false;
}

void ClientSession::give_backend_back() {
    auto* const backend_to_give = backend();
    relay_->detach();
    backend_to_give->session = nullptr;
    if (has_drawn_on(*backend_to_give)) backend_to_give->kept = numbers_.given_back(backend_to_give->id, view_->numbers, worker_.loop().now());
    auto& pool = *leased_from_;
    end_lease();
    // A cancel request on its way must not meet the next one's query.
    if (backend_to_give->cancels_under_way > 0) return;
    // The server may end it in the moment in which another session gets it.
    if (backend_to_give->settings->contains("idle_session_timeout")) return pool.discard(*backend_to_give);
    pool.group().give_back(*backend_to_give, pool);
}

// A server does not notice that nobody waits for an answer. What may have been meant to write is done to its end all the same, as
// by PostgreSQL; unless the endpoint ended the session, which ends its query as pg_terminate_backend() does.
bool ClientSession::is_running_in_vain(Backend const& attached) const {
    return !attached.expected.empty() && attached.is_open() && (lease_ != Lease::ordinary || end_reason_);
}

// The end of the session: nothing of it stays on a backend that others get.
void ClientSession::leave_backend() {
    worker_.unregister(*this);
    stop_awaiting();
    if (pool_ == nullptr) return;
    if (is_waiting_) leased_from_->leave(id_);
    is_waiting_ = false;
    if (auto* const home_backend = pool_->find(home_)) {
        --home_backend->homes;
        home_backend->left_at = worker_.loop().now();
    }
    if (auto* const attached = backend()) {
        bool const is_reusable = attached->is_clean() && attached->cancels_under_way == 0 && state_.pins().minus(resettable()).empty();
        if (is_reusable && !state_.is_pinned()) {
            give_backend_back();
        } else {
            relay_->detach();
            attached->session = nullptr;
            if (is_reusable) {
                attached->reset();
            } else {
                if (is_running_in_vain(*attached)) worker_.cancel_on_server(*attached, *leased_from_);
                leased_from_->discard(*attached);
            }
        }
    }
    numbers_.left(view_->numbers, worker_.loop().now());
    if (auto* const keeper = pool_->find(numbers_.backend()); keeper != nullptr && has_drawn_on(*keeper)) keeper->kept = {};
    end_lease();
    if (own_pool_) worker_.bury(std::move(own_pool_));
    else --pool_->sessions;
    pool_ = nullptr;
}

void ClientSession::given(Backend& backend) {
    is_waiting_ = begins_unasked_ = false;
    auto const waited = worker_.loop().now() - waiting_since_;
    stats().wait_microseconds += static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(waited).count());
    backend.session = this;
    attach(backend);
    event_.signal();
}

void ClientSession::attach(Backend& backend) {
    relay_->attach(backend, lease_);
    auto const& path = pool_->first_path_on_primary();
    state_.may_create_in_pg_temp(path && path->find("pg_temp") != path->npos);
}

void ClientSession::refused(wire::ErrorFields const& why) {
    is_waiting_ = false;
    bool const was_on_replica = lease_ == Lease::read_on_replica;
    end_lease();
    if (std::exchange(begins_unasked_, false)) {
        // It is tried again by and by.
    } else if (was_on_replica) {
        // There are other servers for it: the relay asks again.
    } else if (!is_serving_) {
        end_reason_ = why;
    } else if (relay_->is_in_transaction()) {
        // The block that was begun here has never begun there: only the end of the session says so without doubt.
        end_reason_ = why;
        end_reason_->severity = end_reason_->severity_nonlocal = "FATAL";
    } else {
        relay_->refuse(why);
    }
    event_.signal();
}

void ClientSession::cancel(std::function<void()> delivered) {
    if (auto* const attached = backend(); attached != nullptr && !attached->expected.empty()) {
        return worker_.cancel_on_server(*attached, *leased_from_, std::move(delivered));
    }
    delivered();
    if (backend() != nullptr || !is_waiting_ || !is_serving_ || begins_unasked_) return;
    leave_queue();
    refused(make_error("ERROR", "57014", "canceling statement due to user request"));
}

// For good: it does not ask again elsewhere.
void ClientSession::leave_queue() {
    leased_from_->leave(id_);
    end_lease();
}

void ClientSession::wait_for_facts() {
    is_waiting_for_facts_ = true;
    worker_.refresh_facts(database_, *this, [this](bool are_there) {
        is_waiting_for_facts_ = false;
        facts_failed_ = !are_there;
        event_.signal();
    });
}

// A lone BEGIN has been answered and the client takes its time: from now on the server counts it too.
void ClientSession::begin_on_server() {
    if (pool_->group().waiting() >= settings_->queue_length) return;
    begins_unasked_ = true;
    bool const may_read = relay_->route_of_begin() == Route::reads && splits();
    if (acquire(may_read ? Route::reads : Route::primary, sql::Touched::all())) begins_unasked_ = false;
}

void ClientSession::stop_beginning() {
    begins_unasked_ = false;
    stop_awaiting();
    awaiting_since_ = {};
    if (std::exchange(is_waiting_, false)) leave_queue();
}

std::chrono::milliseconds ClientSession::idle_limit() const {
    auto const of_endpoint = settings_->client_idle_timeout;
    auto const set = state_.settings()->find("idle_session_timeout");
    auto const of_session = set == state_.settings()->end() ? pool_->first_idle_timeout() : time_of_statement(set->second);
    if (of_session.count() == 0 || of_endpoint.count() == 0) return std::max(of_session, of_endpoint);
    return std::min(of_session, of_endpoint);
}

// What the client, or its backend, may be waited for now.
void ClientSession::set_timer() {
    std::chrono::milliseconds limit{0};
    if (is_waiting_to_read_) {
        // The endpoint itself is at work.
    } else if (is_awaiting_news_) {
        auto const left = waits_until(patience()) - worker_.loop().now();
        limit = std::max(std::chrono::milliseconds(1), std::chrono::ceil<std::chrono::milliseconds>(left));
    } else if (is_waiting_) {
        limit = settings_->query_wait_timeout;
    } else if (relay_->is_stalled() || relay_->is_cut_short()) {
        limit = settings_->client_stall_timeout;
    } else if (backend() == nullptr && relay_->has_deferred_begin()) {
        limit = begin_delay;
    } else if (!relay_->is_busy()) {
        limit = relay_->is_in_transaction() ? settings_->idle_in_transaction_timeout : idle_limit();
    }
    if (limit.count() > 0) timer_->start(limit);
    else if (timer_->is_running()) timer_->stop();
}

void ClientSession::time_is_over() {
    if (!is_serving_) {
        login_timed_out_ = true;
    } else if (is_awaiting_news_) {
        return wake();
    } else if (is_waiting_) {
        leave_queue();
        refused(make_error("ERROR", "53300", "no backend became free within query_wait_timeout", "",
                           "Raise the endpoint's pool_size, or find what keeps backends: SHOW PINS in database pgtandem."));
        return;
    } else if (relay_->is_stalled()) {
        end_reason_ = make_error("FATAL", "57P05", "terminating connection: the client does not take what it asked for");
    } else if (relay_->is_cut_short()) {
        end_reason_ = make_error("FATAL", "57P05", "terminating connection: the client does not send the rest of its message");
    } else if (backend() == nullptr && relay_->has_deferred_begin()) {
        begin_on_server();
    } else if (relay_->is_in_transaction()) {
        end_reason_ = make_error("FATAL", "25P03", "terminating connection due to idle-in-transaction timeout");
    } else {
        end_reason_ = make_error("FATAL", "57P05", "terminating connection due to idle-session timeout");
    }
    event_.signal();
}

std::shared_ptr<sql::Analysis const> ClientSession::analyse(std::string_view text, bool strings_conform) {
    return view_->analyse(text, reading(strings_conform), worker_.settings(), long_text_.get());
}

bool ClientSession::must_wait_to_read(std::string_view text, bool strings_conform) {
    auto const how = reading(strings_conform);
    if (!view_->must_be_read(text, how, worker_.settings(), long_text_.get())) return false;
    is_waiting_to_read_ = true;
    view_->read_beside(text, how, worker_.settings(), [&worker = worker_, id = id_](std::unique_ptr<DatabaseView::LongText> read) {
        auto* const session = worker.find_session(id);
        if (session == nullptr) return;
        session->is_waiting_to_read_ = false;
        session->long_text_ = std::move(read);
        session->event_.signal();
    });
    return true;
}

// A statement whose settings nobody can follow is the session's own.
PreparedRef ClientSession::prepare(std::string_view text, std::string_view types, SettingsRef const& settings, bool is_shared, bool strings_conform) {
    auto const epoch = view_->epoch();
    if (is_shared) {
        if (auto known = pool_->statements.find(epoch, text, types, settings)) return known;
    }
    auto& memory = worker_.memory();
    // Small ones always fit: what others hold does not stop anybody's work.
    if (text.size() > small_statement && !memory.has_room(MemoryFor::statements, text.size())) return nullptr;
    auto const how = reading(strings_conform);
    PreparedStatement statement;
    statement.epoch = epoch;
    statement.path = how.path.key;
    statement.text = text;
    statement.types = types;
    statement.strings_conform = strings_conform;
    statement.analysis = view_->analyse(text, how, worker_.settings(), long_text_.get());
    statement.settings = settings;
    if (!is_shared) return make_prepared(std::move(statement), memory);
    return pool_->statements.add(std::move(statement), memory);
}

PreparedRef ClientSession::prepare_again(PreparedStatement const& statement, StatementDescription description) {
    auto again = statement;
    again.description = std::move(description);
    again.is_outdated = false;
    return pool_->statements.add(std::move(again), worker_.memory());
}

bool ClientSession::holds(PreparedStatement const& statement) { return view_->holds(statement, search_path()); }

bool ClientSession::must_wait_for_facts() {
    if (settings_->pool_mode != PoolMode::transparent || view_->facts_hold()) return false;
    // Facts that could not be had are asked for again by the next statement; this one does without.
    return !std::exchange(facts_failed_, false);
}

bool ClientSession::facts_hold() {
    return settings_->pool_mode != PoolMode::transparent || view_->facts_hold();
}

void ClientSession::catalog_changed() { worker_.catalog_changed(database_); }
}  // namespace pgtandem::proxy
