// One client from its first byte to its last. A conversation like the manual's chapter: start, authenticate, join a pool,
// serve, close. Lives on one worker's thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "io/loop.hpp"
#include "io/task.hpp"
#include "proxy/console.hpp"
#include "proxy/database_view.hpp"
#include "proxy/endpoint_settings.hpp"
#include "proxy/event.hpp"
#include "proxy/login_desk.hpp"
#include "proxy/pool.hpp"
#include "proxy/relay.hpp"
#include "proxy/session_floor.hpp"
#include "proxy/session_state.hpp"
#include "proxy/snapshot.hpp"
#include "wire/startup.hpp"

namespace pgtandem::proxy {

class Worker;

// SET pgtandem.route
enum class RouteWish : std::uint8_t { automatic, primary, replica };

struct PeerAddress {
    std::string host;  // numeric; empty for a Unix socket
    std::uint16_t port = 0;
};

class ClientSession final : public io::StreamOwner, private RelayHost {
public:
    ClientSession(Worker& worker, UniqueFd connected, Target target, std::uint64_t id);
    ClientSession(ClientSession const&) = delete;
    ClientSession& operator=(ClientSession const&) = delete;
    ~ClientSession();

    void start();
    void on_event(io::Stream& stream) override;
    void backend_has_news() { event_.signal(); }

    // From the pool.
    void given(Backend& backend);
    void refused(wire::ErrorFields const& why);
    // From a CancelRequest that named this session.
    void cancel(std::function<void()> delivered);
    void wake_up() { event_.signal(); }
    // From the worker: there is news of positions.
    void take_news();
    // From the worker: the replica that serves this session is no longer one that may be read on.
    bool is_reading_on_replica() const;
    void lose_replica();
    // Before start(): there are too many already, which is for the startup message's answer.
    void refuse() { is_refused_ = true; }
    // From the console, a changed primary, or a shutdown: says why and closes.
    void end(wire::ErrorFields why);
    // The same for one that has not logged in: its descriptor is wanted at once, so nothing waits for it to take the words.
    void make_way(wire::ErrorFields why);
    // The worker is ending: forgets its backend without a word.
    void abandon();

    std::uint64_t id() const override { return id_; }
    // The backend it was told of.
    std::uint64_t home() const { return home_; }
    bool has_drawn() const { return numbers_.has_drawn(); }
    bool has_drawn_on(Backend const& backend) const override { return backend.drawn_by == id_ && backend.id == numbers_.backend(); }
    bool is_logging_in() const { return !is_serving_; }
    SettingsRef const& settings() const { return state_.settings(); }
    bool has_custom_setting(std::string_view name) const { return state_.has_custom_setting(name); }
    Backend* backend() const { return relay_ ? relay_->backend() : nullptr; }
    bool is_on(Pool const& pool) const { return pool_ == &pool; }
    bool is_idle() const { return is_serving_ && backend() == nullptr && !is_waiting_ && !is_awaiting_news_; }
    bool is_pinned() const { return state_.is_pinned(); }
    std::string const& user() const { return user_; }
    std::string const& database() const { return database_; }
    std::uint32_t told_process_id() const { return told_process_id_; }
    std::string const& cancel_key() const { return cancel_key_; }
    bool is_counted() const { return is_counted_; }
    ClientInfo info() const;

private:
    io::Task<> converse();

    // client_start.cpp
    io::Task<bool> start_up();
    bool take_tls_request();
    bool start_direct_tls();
    bool take_startup(wire::StartupMessage const& message);
    bool take_parameters(wire::StartupMessage const& message);
    void negotiate(wire::StartupMessage const& message);

    // client_login.cpp
    io::Task<bool> authenticate();
    io::Task<bool> ask_desk();
    io::Task<bool> authenticate_scram();
    io::Task<bool> authenticate_md5();
    io::Task<bool> authenticate_password();
    io::Task<std::optional<std::string>> read_response(char const* what, std::uint32_t longest);
    bool password_failed();
    bool check_admission();

    // client_serve.cpp
    io::Task<bool> join_pool();
    io::Task<bool> begin_replication();
    io::Task<bool> wait_for_backend();
    bool welcome();
    void attach(Backend& backend);
    io::Task<> serve();
    io::Task<> serve_console();
    void step_until_still();
    void begin_on_server();
    void stop_beginning();
    std::chrono::milliseconds idle_limit() const;
    bool step();
    void give_backend_back();
    void leave_backend();
    bool is_running_in_vain(Backend const& attached) const;
    void leave_queue();
    void wait_for_facts();
    void set_timer();
    void time_is_over();
    bool say_goodbye(wire::ErrorFields const& why);
    bool fatal(Error const& scram_error);
    bool fatal(char const* sqlstate, std::string message, std::string detail = {});

    // client_route.cpp
    ReadRules read_rules() const;
    ReadChoice choose_server(sql::Touched const& read);
    std::uint64_t acknowledged(sql::Touched const& read) const;
    bool may_be_unflushed() const;
    Clock::time_point waits_until(Patience patience) const;
    Patience patience() const;
    bool may_leave_replica();
    enum class Awaits : std::uint8_t { read, fence, floor_text };
    void await_news(Awaits what);
    bool is_fenced();
    bool may_go_on();
    void wake();
    void stop_awaiting();
    void begin_lease(Pool& pool, Lease lease, ServerEntry const* server);
    void end_lease();
    void ask_elsewhere();

    KnownPath const& search_path();
    void note_numbers(sql::Analysis const& analysis);
    DatabaseView::Reading reading(bool strings_conform) { return {strings_conform, search_path()}; }

    // client_own.cpp
    OwnAnswer set_own(OwnStatement const& own);
    OwnAnswer reset_own(OwnStatement const& own);
    std::optional<OwnAnswer> show_own(OwnStatement const& own);
    std::optional<OwnAnswer> explain_route(std::string_view statement);
    std::string why_not_split() const;
    bool take_own_parameters();
    bool begin_with_own(std::string const& name, std::string const& value);

    // RelayHost
    std::optional<OwnAnswer> answer_own(OwnStatement const& own) override;
    void reset_own_settings() override;
    std::shared_ptr<sql::Analysis const> analyse(std::string_view text, bool strings_conform) override;
    bool must_wait_to_read(std::string_view text, bool strings_conform) override;
    PreparedRef prepare(std::string_view text, std::string_view types, SettingsRef const& settings, bool is_shared, bool strings_conform) override;
    PreparedRef prepare_again(PreparedStatement const& statement, StatementDescription description) override;
    bool holds(PreparedStatement const& statement) override;
    bool must_wait_for_facts() override;
    bool facts_hold() override;
    bool acquire(Route route, sql::Touched const& read) override;
    bool may_read_on(sql::Touched const& read) override;
    void acknowledge(sql::Touched const& written) override;
    bool splits() const override;
    void ended_on_primary(sql::Touched const* written, bool read_there) override;
    void placed(sql::Analysis const* analysis, std::string_view text) override;
    void catalog_changed() override;
    DatabaseStats& stats() override { return view_->stats; }

    Worker& worker_;
    std::uint64_t const id_;
    Target const target_;
    std::shared_ptr<EndpointSettings const> settings_;
    Event event_;
    std::unique_ptr<io::Stream> stream_;
    std::unique_ptr<io::Timer> timer_;
    PeerAddress peer_;

    // Who it is; fixed by the first startup message.
    std::string user_;
    std::string database_;
    std::string application_name_;
    std::string replication_;  // the parameter as given, or empty
    std::vector<std::pair<std::string, std::string>> parameters_;
    bool asked_for_tls_ = false;
    bool asked_for_gss_ = false;
    bool is_counted_ = false;  // among those who are logged in
    std::uint16_t minor_version_ = 0;
    std::unique_ptr<LoginFacts> facts_;
    std::shared_ptr<ServerLogin> login_;
    std::uint32_t told_process_id_ = 0;
    std::string cancel_key_;
    std::uint64_t home_ = 0;
    SessionNumbers numbers_;

    SessionState state_;
    std::optional<Relay> relay_;
    DatabaseView* view_ = nullptr;  // of its database, once it is logged in
    Pool* pool_ = nullptr;         // whose sessions this is one of
    Pool* leased_from_ = nullptr;  // where its backend is from, or is to come from: pool_, or one of a replica
    Lease lease_ = Lease::ordinary;
    std::shared_ptr<ServerPosition> position_;  // of the server, for as long
    SessionFloor floor_;
    RouteWish route_wish_ = RouteWish::automatic;
    std::optional<Consistency> consistency_;
    RouteWish first_route_wish_ = RouteWish::automatic;  // by the startup message: what RESET goes back to
    std::optional<Consistency> first_consistency_;
    struct {
        SettingsRef settings;
        std::shared_ptr<std::string const> first;
        KnownPath path;
    } path_;  // and what it was found out from
    bool is_path_changing_ = false;  // something was sent that may change it, and its transaction has not ended
    bool is_awaiting_news_ = false;  // of positions, to know where it may read
    Awaits awaits_ = Awaits::read;
    Clock::time_point awaiting_since_{};
    struct Chosen {
        Clock::time_point at;
        std::uint64_t routing_version;
        ReadChoice choice;
    };
    std::optional<Chosen> chosen_{};
    bool is_replica_lost_ = false;
    bool may_commit_without_flush_ = false;
    std::unique_ptr<Pool> own_pool_;  // of a replication connection
    bool is_serving_ = false;
    bool is_waiting_ = false;        // in the queue
    bool begins_unasked_ = false;    // there for a lone BEGIN, of which the client awaits nothing
    bool is_waiting_for_facts_ = false;
    bool is_waiting_to_read_ = false;  // its next statement is long
    std::unique_ptr<DatabaseView::LongText> long_text_;  // and was read so, until it is taken
    bool facts_failed_ = false;
    bool is_leaving_ = false;
    bool makes_way_ = false;
    bool login_timed_out_ = false;
    bool is_refused_ = false;
    std::optional<wire::ErrorFields> end_reason_;
    Clock::time_point waiting_since_{};
    std::chrono::system_clock::time_point connected_at_;
    io::Task<> conversation_;
};

}  // namespace pgtandem::proxy
