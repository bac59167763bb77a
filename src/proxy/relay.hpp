// Moves one session's messages in both directions: from its client to the backend that serves it and back. Reads headers,
// whole messages only where something depends on them; keeps count of what the backend owes.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "io/stream.hpp"
#include "proxy/backend.hpp"
#include "proxy/endpoint_settings.hpp"
#include "proxy/own_statement.hpp"
#include "proxy/session_state.hpp"
#include "proxy/snapshot.hpp"
#include "wire/error_response.hpp"
#include "wire/framing.hpp"
#include "wire/query.hpp"

namespace pgtandem::proxy {

enum class Route : std::uint8_t { primary, reads };
// What a backend is given to a session for.
enum class Lease : std::uint8_t { ordinary, read_on_primary, read_on_replica };

// What a client asks for up to the next ReadyForQuery, as far as it has been sent.
struct Batch {
    enum class Kind : std::uint8_t { other, reads, ends_transaction };
    Kind kind = Kind::other;
    std::size_t bytes = 0;
    std::shared_ptr<sql::Analysis const> query{};  // of a simple query, where it can be looked at
    sql::Touched read{};
};

// Whether a statement may have left something in the WAL that its session has to see.
bool may_have_written(sql::Analysis const* analysis);

// What the relay asks of the session it works for.
class RelayHost {
public:
    // No other session of this process has it.
    virtual std::uint64_t id() const = 0;
    // Whether the numbers that this backend remembers are the session's, all that it has drawn.
    virtual bool has_drawn_on(Backend const& backend) const = 0;
    // A long statement is read beside the loop first; the session waits for it.
    virtual bool must_wait_to_read(std::string_view text, bool standard_conforming_strings) = 0;
    // Null where the statement is too long to look at, or must be read first.
    virtual std::shared_ptr<sql::Analysis const> analyse(std::string_view text, bool standard_conforming_strings) = 0;
    // 'settings': those in force that matter to a parser, as far as they are known; where they cannot be followed the statement is
    // not shared. Null: there is no room for more.
    virtual PreparedRef prepare(std::string_view text, std::string_view types, SettingsRef const& settings, bool is_shared,
                                bool standard_conforming_strings) = 0;
    // The same statement, of which a server has given another description.
    virtual PreparedRef prepare_again(PreparedStatement const& statement, StatementDescription description) = 0;
    // False: the catalog or the search path is another now; the statement is to be looked at again.
    virtual bool holds(PreparedStatement const& statement) = 0;
    // The catalog is being read again and what it says is worth waiting for.
    virtual bool must_wait_for_facts() = 0;
    virtual bool facts_hold() = 0;
    // A backend, attached to the relay, where one is free; else the session is in the queue for one, or waits until it is known
    // where it may read. 'read': what is to be read, where that is the route.
    virtual bool acquire(Route route, sql::Touched const& read) = 0;
    // Whether one more read may follow on the replica whose backend is attached.
    virtual bool may_read_on(sql::Touched const& read) = 0;
    // The client is about to be told that something is done which may have written.
    virtual void acknowledge(sql::Touched const& written) = 0;
    // Reads of this session may go to replicas at present.
    virtual bool splits() const = 0;
    // A transaction has ended on the primary; 'read_there': its place was chosen among all that could serve the read.
    virtual void ended_on_primary(sql::Touched const* written, bool read_there) = 0;
    // What the endpoint itself answers. Nothing: it has to wait.
    virtual std::optional<OwnAnswer> answer_own(OwnStatement const& own) = 0;
    virtual void reset_own_settings() = 0;
    // For the counts of what goes where.
    virtual void placed(sql::Analysis const* analysis, std::string_view text) = 0;
    // A transaction that ran DDL has been committed.
    virtual void catalog_changed() = 0;
    virtual DatabaseStats& stats() = 0;

protected:
    ~RelayHost() = default;
};

// What holds as long as a backend is attached.
struct Attachment {
    Backend* backend = nullptr;
    bool is_on_replica = false;
    bool nothing_sent_to_replica = false;
    bool was_placed = false;        // where it reads was chosen among all that may serve the read
    bool withholds_reply = false;   // nothing of the answer to the oldest batch has been passed to the client
    bool discards_reply = false;    // nor will be: it is asked elsewhere
    std::optional<sql::Touched> written{};  // what this transaction, on the primary, may have written; nothing: it has not
    bool is_in_copy_in = false;
    bool client_copies = false;  // the server reads COPY data, and the client has not ended it
    bool owes_ready = false;     // the client's ReadyForQuery comes after a query of ours
    bool is_input_ended = false;  // the server was told that no more will come
    bool is_out_of_step = false;  // the backend answered what was not asked
    bool has_left_block = false;  // a statement has ended its block, or gone back in it, since the last ReadyForQuery
    bool has_reopened_block = false;  // one has been left for a text that is still to leave it itself
    // The session's statements have the client's own names there, and no other session's are there.
    bool has_client_names = false;
    // Those that are there by the client's names; a null one was made for a DEALLOCATE to take away.
    struct ClientName {
        PreparedRef statement;
        bool differs = false;  // as in PreparedOnBackend::Entry
    };
    std::map<std::string, ClientName, std::less<>> client_names{};
    PreparedRef other_unnamed{};        // the unnamed statement that differs so
    std::string block_begin{};          // on a replica: what its transaction block began with
    std::uint64_t flushed_at = 0;       // PendingReplies::pushed() when the server was last asked to send its answers
    std::size_t batch_left = 0;         // bytes of the batch that has been placed
    std::size_t server_passing = 0;     // bytes of a server's message that are forwarded as they come
};

class Relay {
public:
    enum class Outcome {
        waiting,       // nothing more to do until a stream has news
        need_backend,  // the client's next message cannot go on without one
        need_facts,    // nor before the catalog has been read again
        idle,          // the transaction has ended and nothing is outstanding: the backend may go
        leave,         // the client has said goodbye or has gone
        broken,        // the backend has gone, or broke the protocol
        elsewhere,     // the replica could not; nothing has reached the client: ask_elsewhere()
        misbehaved,    // the client broke the protocol; see error()
    };

    // 'defers_begin': a plain BEGIN is answered here and sent with the first statement.
    Relay(io::Stream& client, SessionState& state, RelayHost& host, std::shared_ptr<EndpointSettings const> settings,
          ReportedRegistry& registry, bool defers_begin)
        : client_(client), state_(state), host_(host), settings_(std::move(settings)), registry_(registry), defers_begin_(defers_begin) {}

    // Takes what both sides have sent as far as it goes.
    Outcome run();

    void attach(Backend& backend, Lease lease);
    // Gives the backend up; the caller knows what to do with it.
    void detach();
    Backend* backend() const { return at_.backend; }
    // Rises with everything that is taken from either side: a turn that leaves it as it is has done nothing.
    std::uint64_t progress() const { return progress_; }
    // A lone BEGIN has been answered and not been sent: time counts from its receipt for the server too.
    bool has_deferred_begin() const { return !deferred_begin_.empty(); }
    Route route_of_begin() const { return begin_reads_ ? Route::reads : Route::primary; }

    // Answers the client's next statement with an error in place of a backend's answer; it stays connected.
    void refuse(wire::ErrorFields const& error);
    // Nothing of what it has asked the replica has reached the client.
    bool can_ask_elsewhere() const;
    // What was asked is asked again, of the primary. The backend is to be given up.
    void ask_elsewhere();
    wire::ErrorFields const& error() const { return error_; }

    bool is_in_transaction() const { return at_.backend != nullptr ? at_.backend->transaction != 'I' : !deferred_begin_.empty(); }
    bool is_busy() const { return at_.backend != nullptr && !at_.backend->expected.empty(); }
    void set_seen(ReportedRef seen) { seen_ = std::move(seen); }
    // A connection in which the client and the server are left to each other: replication.
    void become_raw() { is_raw_ = true; }
    // A client that does not take what it asked for.
    bool strings_conform() const { return !seen_ || seen_->strings_conform; }
    bool has_input() const { return !input().empty(); }
    bool is_stalled() const { return client_.unsent() > io::output_high; }
    // A client that has sent a part of a message.
    bool is_cut_short() const { return client_passing_ > 0 || (!is_busy() && has_input()); }

private:
    enum class Took {
        yes,
        wait,          // for more of the client's
        await_server,  // until the server has answered what was sent
        give_back,
        need_backend,
        need_facts,
        await_reading,
        elsewhere,  // the replica cannot have what the client was told of
        leave,
        malformed,
        misbehaved,
    };

    // Which way (relay_split.cpp).
    Took place_batch(wire::Header header);
    Took continue_on_replica(Batch const& batch);
    Batch next_batch();
    bool may_begin_on_replica(std::string_view begin) const;
    void leave_replica();
    void keep(Batch const& batch);
    void forget_batch();
    void pass_held();
    void before_passing(char type, std::string_view body);
    std::string_view input() const { return replay_.empty() ? client_.input() : replay_.view(); }
    void consume(std::size_t count);
    ByteBuffer& output() { return at_.withholds_reply || at_.discards_reply ? at_.backend->held : client_.output(); }

    // What the endpoint answers itself (relay_own.cpp).
    char transaction_status() const;
    std::optional<OwnAnswer> answer_to_own(OwnStatement const& own);
    Took take_own_query(OwnStatement const& own);
    Took take_own_parse(std::string const& name, PreparedRef const& statement);
    Took take_own_bind(wire::Bind const& bind, PreparedRef const& statement, wire::Header header);
    Took take_own_describe(wire::Describe const& describe, OwnStatement const& own);
    Took take_own_execute(wire::Execute const& execute, OwnStatement const& own);
    Took refuse_own(wire::ErrorFields const& error);
    Took refuse_own_bind(wire::ErrorFields const& error, wire::Header header);
    bool is_taken_by_own(std::string_view portal) const;
    Took refuse_taken_portal(std::string_view portal, wire::Header header);
    void fail_on_server(Expect what, wire::ErrorFields const& error, std::string_view before = {});

    // From the client (relay_client.cpp).
    Outcome run_client();
    Took take_client_message(wire::Header header, std::string_view input);
    Took take_whole(wire::Header header, std::string_view message);
    Took take_by_size(wire::Header header, std::string_view input);
    Took take_long_statement(wire::Header header, std::string_view input);
    void parse_long(std::string const& name);
    Took take_copy_end(std::string_view message);
    Took take_sync(std::string_view message, std::string_view body);
    Took take_flush(std::string_view message, std::string_view body);
    Took take_function_call(wire::Header header, std::string_view input);
    Took take_refused(wire::Header header);
    Took misbehave(char const* sqlstate, std::string message);
    Took leave_it_to_the_server(Expect what, wire::Header header, std::string_view input);
    Outcome client_has_ended();
    void note_batch(char type, std::size_t sent);
    void pass_through(wire::Header header, std::string_view input);
    void pass_rest(std::size_t count);
    void drop_message(wire::Header header);
    void forward(std::string_view bytes) { to_server().append(bytes); }
    ByteBuffer& to_server() { return at_.backend->stream().output(); }
    PendingReplies& pending() { return at_.backend->expected; }
    void note_write(sql::Touched const& touched);
    bool has_backend() { return at_.backend != nullptr || (host_.acquire(Route::primary, {}) && at_.backend != nullptr); }
    bool is_settled() const { return at_.backend == nullptr || !at_.backend->expected.may_change_session(); }
    Took settle();
    void request_answers();

    // Statements, looked at before they are sent (relay_statement.cpp).
    Took take_query(std::string_view message, std::string_view body);
    bool answer_transaction_command(sql::Effects const& effects, std::string_view text);
    void check_before(sql::Analysis const* analysis, std::string_view text);
    void note_state(sql::Analysis const* analysis, std::string_view text);
    std::shared_ptr<sql::Analysis const> analysis_of(PreparedRef const& statement);
    bool must_wait_for_facts(sql::Analysis const* analysis);
    std::shared_ptr<sql::Analysis const> look_at(std::string_view text);
    bool must_wait_to_read(std::string_view text) { return can_read() && host_.must_wait_to_read(text, strings_conform()); }
    bool must_wait_to_read(PreparedRef const& statement);
    bool can_read() const { return !seen_ || seen_->can_be_read; }
    bool changes_session(sql::Analysis const* analysis) const;
    void push_statement(Expect what, std::shared_ptr<sql::Analysis const> analysis);

    // The extended query protocol (relay_extended.cpp).
    Took take_parse(std::string_view message, std::string_view body);
    void refuse_taken_name(std::string const& name, wire::Parse const& parse);
    void parse_unnamed(std::string_view message, PreparedRef const& statement);
    void parse_for_client(std::string const& name, PreparedRef const& statement);
    bool is_transaction_known() const;
    Took take_bind(wire::Header header, std::string_view input);
    void bind_portal(std::string_view portal, PreparedRef const& statement, Expected& entry);
    Took take_describe(std::string_view message, std::string_view body);
    Took take_close(std::string_view message, std::string_view body);
    void pass_close(std::string_view message, std::function<void()> undo);
    void close_unnamed_of_client(std::string_view message);
    void close_named(std::string const& name, std::string_view message);
    Took close_portal(std::string_view name, std::string_view message);
    Took take_execute(std::string_view message, std::string_view body);

    // On the session's behalf (relay_injected.cpp).
    void bring_settings();
    void drop_plans_of_others(std::string& text);
    void note_plans();
    void bring_begin();
    void send_our_query(std::string_view text);
    void send_our_statement(std::string_view text);
    void tell_parameters();
    bool must_bring_settings();
    void push_answer(std::string message, std::function<void()> undo = {});

    // Statements that a backend lacks, and names (relay_names.cpp).
    std::string fresh_name();
    void send_parse(std::string_view name, PreparedStatement const& statement, std::string_view types);
    void describe_to_learn(std::string_view server_name, PreparedRef const& statement, std::string_view name, Learns learns);
    void parse_anew(std::string_view server_name, PreparedRef const& statement, Expected entry);
    SettingsRef settings_that_differ(PreparedStatement const& statement);
    void set_between(SettingsRef const& from, SettingsRef const& to);
    void plan_by_its_settings(PreparedOnBackend::Entry const& present);
    void plan(std::string_view server_name);
    void add_to_backend(PreparedRef const& statement, std::string server_name, Expected& parse);
    Took bring_for(std::string_view name, PreparedRef const& statement);
    Took bring_statement(PreparedRef const& statement);
    Took bring_unnamed(PreparedRef const& statement);
    void bring_client_name(std::string const& name, PreparedRef const& statement);
    Took when_compared(bool differs, PreparedRef const& statement);
    Took refuse_other_description(PreparedRef const& statement);
    // The name by which the server knows a statement that the client calls 'name'.
    std::string_view server_name_of(std::string_view name, PreparedRef const& statement);
    void make_room_for_statement();
    void close_on_server(PreparedOnBackend::Entry present);
    void close_unnamed();
    bool may_reach_names() const;
    void use_client_names();
    void bring_named(sql::Analysis const* analysis, std::string_view text, bool is_executed);
    bool may_parse() const;
    bool reaches_names(sql::Analysis const* analysis) const;
    bool must_reopen_block(sql::Analysis const& analysis) const;
    void reopen_block(std::shared_ptr<sql::Analysis const> analysis);
    void abort_block_again();
    void send_our_unnamed(std::string_view text);
    void send_our_sync();
    void bring_all_names();
    void bring_names_in(std::string_view code);
    void bring_name_to_deallocate(std::string const& name);

    // From the backend (relay_server.cpp).
    Outcome run_server();
    bool take_server_message(char type, std::string_view body);
    bool complete(std::string_view body);
    void note_completion(sql::Effects const& effects, std::string_view tag);
    void acknowledge_early();
    void note_notice();
    void end_transaction();
    bool fail(std::string_view body);
    bool pass_error(Expected const& of, std::string_view body);
    void note_outdated(std::string_view error);
    void drop_until_sync();
    void undo(Expected& entry, bool is_refused);
    bool describe_parameters(std::string_view body);
    bool describe_columns(std::string_view body);
    void learn(Expected const& entry, StatementDescription description);
    bool ready(char status);
    void begin_copy_in();
    bool note_parameter(std::string_view body);
    bool pop_if(Expect what);
    void answer_local();
    void say_ready();
    bool is_ours() const { return !at_.backend->expected.empty() && at_.backend->expected.front().is_ours; }
    Outcome run_raw();
    Outcome broken(std::string why);
    Outcome out_of_step();

    io::Stream& client_;
    SessionState& state_;
    RelayHost& host_;
    std::shared_ptr<EndpointSettings const> settings_;
    ReportedRegistry& registry_;
    Attachment at_;
    ReportedRef seen_;            // what the client has been told
    std::string deferred_begin_;  // answered, not yet sent
    std::shared_ptr<sql::Analysis const> looked_at_;  // of the query that comes next, where placing it has looked at it already
    ByteBuffer replay_;           // what is asked again, before what the client sends next
    wire::ErrorFields error_;
    std::string described_parameters_;  // of the statement that is being described
    std::uint64_t progress_ = 0;
    std::size_t client_passing_ = 0;  // bytes of a client's message that are forwarded as they come
    bool passing_is_dropped_ = false;
    bool defers_begin_;
    bool begin_reads_ = false;         // it may be sent to a replica
    bool block_was_aborted_ = false;   // the one that goes on on the primary
    bool ignores_until_sync_ = false;  // an error has been answered within an extended query
    bool is_refusing_ = false;
    bool is_raw_ = false;
};

}  // namespace pgtandem::proxy
