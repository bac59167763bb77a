// One connection to a server, logged in as one user to one database. Belongs to a pool; serves one session at a time.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "proxy/drawn_numbers.hpp"
#include "proxy/event.hpp"
#include "proxy/pending_replies.hpp"
#include "proxy/prepared.hpp"
#include "proxy/reported.hpp"
#include "proxy/routing.hpp"
#include "proxy/session_settings.hpp"
#include "proxy/sharing_check.hpp"
#include "wire/authentication.hpp"
#include "wire/error_response.hpp"
#include "wire/scram.hpp"

namespace pgtandem::proxy {

class Backend;
class ClientSession;

// The search_path and the idle_session_timeout that a session began with, whatever they have been set to since; and whose session
// it is, as LoginFacts::identity: names may have become others' since a client logged in.
inline constexpr char const* first_path_query =
    "SELECT (SELECT reset_val FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'search_path'),"
    " (SELECT reset_val FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'idle_session_timeout'),"
    " (SELECT pg_catalog.concat_ws(' ', a.datid, a.usesysid) FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) a)";

// What a login to a server needs; taken from the client's own login.
struct ServerLogin {
    std::string user;
    std::vector<std::pair<std::string, std::string>> parameters;  // of the startup message, user and database among them
    std::optional<wire::ScramKeys> scram{};  // recovered from the client's proof
    std::string md5{};                       // pg_authid's "md5..."
    std::string password{};                  // where the client gave it in clear
};

// Whoever keeps backends: told how a login ended, and when an idle backend has something to say.
class BackendKeeper {
public:
    virtual void logged_in(Backend& backend) = 0;
    // It never became one, or it has ended: 'why' is the server's own word, or ours (08006).
    virtual void lost(Backend& backend, wire::ErrorFields why) = 0;
    // What it was asked to do between two uses, reset(), ask_first_path() or check_sharing(), is done.
    virtual void settled(Backend& backend) = 0;
    virtual ReportedRegistry& reported_registry() = 0;

protected:
    ~BackendKeeper() = default;
};

class Backend final : public io::StreamOwner {
public:
    Backend(io::Loop& loop, BackendKeeper& keeper, std::uint64_t number, ServerEntry server, std::shared_ptr<ServerLogin const> login,
            std::chrono::milliseconds connect_timeout);
    Backend(Backend const&) = delete;
    Backend& operator=(Backend const&) = delete;

    void on_event(io::Stream& stream) override;

    io::Stream& stream() { return *stream_; }
    ServerEntry const& server() const { return server_; }
    std::string const& user() const { return login_->user; }
    std::uint32_t process_id() const { return process_id_; }
    std::string const& cancel_key() const { return cancel_key_; }
    bool is_logged_in() const { return is_logged_in_; }
    // Nothing outstanding, no transaction, nothing unread: may serve another session.
    bool is_clean() const { return expected.empty() && transaction == 'I' && !is_in_batch && !is_in_message && !is_tainted && is_open(); }
    // Takes away what a session has left.
    void reset();
    // Asks first_path_query: first_path, first_idle_timeout, identity.
    void ask_first_path();
    // In the checking mode, before another session gets it: asks what it holds. Its findings are in 'sharing'.
    void check_sharing();
    void note_for_check(std::string_view statement);
    // Looks at what has come between two uses.
    void look_while_idle();
    bool is_open() const { return stream_ && stream_->health() == io::Health::open && !stream_->at_end(); }

    ClientSession* session = nullptr;  // whom it serves

    // As the server has it. Kept by the session that the backend serves.
    PendingReplies expected;
    char transaction = 'I';      // as of its last ReadyForQuery
    bool is_in_batch = false;    // it has been sent extended messages and no Sync after them: a transaction too, or it waits for the Sync
    bool is_in_message = false;  // it has been sent a part of a message: what comes next it takes for the rest
    ReportedRef reported;
    std::vector<wire::ErrorFields> first_notices;  // that came with its login
    SettingsRef settings = no_settings();
    // Those of the sessions whose functions may have left plans; null where they differ in what plans are made by.
    SettingsRef planned_by = no_settings();
    std::uint64_t planned_for = 0;  // the only session that it has served since it had no plans; 0: none
    std::set<std::string, std::less<>> custom_settings;  // names that are defined here for good
    PreparedOnBackend prepared;
    std::optional<std::string> first_path;  // as pg_settings gives it; nothing where it has not been asked, or was not told
    std::chrono::milliseconds first_idle_timeout{0};  // told with it; 0: none
    std::string identity;        // told with it: the database and the role that its session is of
    bool is_new = true;          // it has not been seen to be of its pool's database and role
    PreparedRef unnamed;         // what its unnamed statement is
    bool is_tainted = false;     // its answers can no longer be counted: it is not given to another session
    bool is_retired = false;     // to be closed when it is given back
    // On a replica: what its session has asked and not been answered, one size for each ReadyForQuery, and what it has answered
    // that the client is not to see yet.
    ByteBuffer asked;
    std::vector<std::size_t> asked_sizes;
    ByteBuffer held;
    int cancels_under_way = 0;   // cancel requests for it that have not been delivered
    std::uint64_t const id;
    std::size_t homes = 0;       // sessions that were told its process id
    Clock::time_point left_at{};  // when the last of them left; never: nothing
    std::unique_ptr<SharingCheck> sharing;  // in the checking mode, once it has served a statement
    std::uint64_t drawn_by = 0;  // the session whose numbers currval and lastval would tell; 0: nobody's
    KeptNumbers kept{};          // for that session, while it is free

    Clock::time_point made_at;
    Clock::time_point used_at;

private:
    io::Task<> log_in();
    io::Task<bool> reach();
    io::Task<bool> ask_for_tls();
    io::Task<bool> converse();
    bool take_message(char type, std::string_view body);
    bool answer_authentication(std::string_view body);
    bool begin_scram(wire::AuthenticationSasl const& sasl);
    bool continue_scram(std::string_view data);
    bool refuse_login(char const* why);
    void send_password(std::string const& password);
    bool take_check_message(char type, std::string_view body);
    bool take_idle_message(char type, std::string_view body);
    void time_is_over();
    bool fail(wire::ErrorFields why);
    bool fail_connection();

    std::shared_ptr<char> alive_ = std::make_shared<char>();
    io::Loop& loop_;
    BackendKeeper& keeper_;
    ServerEntry server_;
    std::shared_ptr<ServerLogin const> login_;
    Event event_;
    std::unique_ptr<io::Stream> stream_;
    std::unique_ptr<io::Timer> deadline_;
    std::optional<wire::ScramClient> scram_;
    Reported startup_reported_;
    std::uint32_t process_id_ = 0;
    std::string cancel_key_;
    bool is_logged_in_ = false;
    bool has_timed_out_ = false;
    enum class Does : std::uint8_t { nothing, reset, ask_path, check };
    Does does_ = Does::nothing;  // between two uses
    std::optional<wire::ErrorFields> failure_;
    io::Task<> conversation_;
};

// Where a server listens.
Result<io::SocketAddress> address_of(ServerEntry const& server);

// Tells the session that its backend has something for it.
void notify_session(Backend& backend);

// An error of the proxy's own in PostgreSQL's form.
wire::ErrorFields make_error(char const* severity, char const* sqlstate, std::string message, std::string detail = {},
                             std::string hint = {});

}  // namespace pgtandem::proxy
