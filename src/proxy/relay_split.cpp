// Which way a client's next messages may go, and doing it again elsewhere where a replica could not.
//
// A batch is what one ReadyForQuery answers: a simple query, or extended messages up to their Sync. It goes to a replica only
// if all of it is there and all of it is proven to read; what has been asked is kept until the first row is passed on.
#include <algorithm>
#include <array>
#include <functional>

#include "proxy/relay.hpp"
#include "sql/hint.hpp"
#include "sql/transaction_modes.hpp"
#include "wire/query.hpp"

namespace pgtandem::proxy {

namespace {

// In an extended query these come before anything that a client could tell two servers apart by.
bool comes_before_rows(char type) { return std::string_view("123ntTSN").find(type) != std::string_view::npos; }

// Errors that say something of the replica, or of how far it is, and not of the statement; by class or whole.
constexpr auto errors_of_place = std::to_array<std::string_view>({
    "08", "0A000", "25006", "3D000", "3F000", "40001", "40P01", "42", "53", "55000", "57P01", "57P02", "57P03", "57P04", "58", "XX"});

// Kept of what a replica has been asked, and of what it has answered before the first row.
constexpr std::size_t most_asked = 1 << 20;
constexpr std::size_t most_withheld = 64 << 10;

bool is_of_place(std::string_view sqlstate) {
    return std::ranges::any_of(errors_of_place, [&](auto known) { return sqlstate.starts_with(known); });
}

bool ends_transaction(sql::Analysis const& analysis) {
    if (analysis.statements.size() != 1) return false;
    auto const& effects = analysis.statements.front();
    return (effects.verb == sql::Verb::commit || effects.verb == sql::Verb::rollback) && !effects.has_chain;
}

// What follows the end of the block is not of the block.
bool leaves_and_goes_on(sql::Analysis const* analysis) {
    using enum sql::Verb;
    if (analysis == nullptr || analysis->statements.size() < 2) return false;
    auto const verb = analysis->statements.front().verb;
    return verb == commit || verb == rollback;
}

}  // namespace

bool may_have_written(sql::Analysis const* analysis) {
    if (analysis == nullptr) return true;
    if (analysis->verdict.may_read) return false;
    return !std::ranges::all_of(analysis->statements, sql::is_bookkeeping, &sql::Effects::verb);
}

bool lasts(sql::Effects const& effects) {
    using enum sql::Verb;
    if (!effects.pins.empty() || !effects.settings.empty()) return true;
    return effects.verb == declare || effects.verb == fetch || effects.verb == move || effects.verb == close;
}

// Takes the messages of one batch in, one after the other.
class BatchReader {
public:
    struct Statement {
        std::string_view text;
        std::shared_ptr<sql::Analysis const> analysis;  // null where it cannot be looked at
    };
    using LookAt = std::function<Statement(std::string_view text)>;
    using Find = std::function<Statement(std::string_view name)>;

    BatchReader(LookAt look_at, Find find) : look_at_(std::move(look_at)), find_(std::move(find)) {}

    Batch read(std::string_view input) {
        Batch batch;
        for (auto rest = input;;) {
            auto const header = wire::read_header(rest);
            if (!header || header->body == wire::bad_length || rest.size() < header->total()) return {};
            auto const body = rest.substr(wire::header_size, header->body);
            batch.bytes += header->total();
            rest = rest.substr(header->total());
            if (header->type == 'Q') {
                auto const query = wire::Query::parse(body);
                if (!query || batch.bytes != header->total()) return {};
                auto const statement = look_at_(query->text);
                batch = take(statement) ? finish(batch) : Batch();
                batch.query = statement.analysis;
                return batch;
            }
            if (header->type == 'S') return body.empty() ? finish(batch) : Batch();
            if (!take_extended(header->type, body)) return {};
        }
    }

private:
    bool take_extended(char type, std::string_view body) {
        switch (type) {
            case 'P': {
                auto const parse = wire::Parse::parse(body);
                if (!parse || !parse->name.empty()) return false;
                unnamed_ = look_at_(parse->text);
                return take(*unnamed_);
            }
            case 'B': {
                auto const bind = wire::Bind::parse(body);
                return bind && bind->portal.empty() && take(known(bind->statement));
            }
            case 'D': {
                auto const describe = wire::Describe::parse(body);
                return describe && (describe->kind == 'P' ? describe->name.empty() : take(known(describe->name)));
            }
            case 'E': {
                auto const execute = wire::Execute::parse(body);
                return execute && execute->portal.empty();
            }
            case 'H': return body.empty();
            default: return false;
        }
    }

    static bool reads(Statement const& statement) {
        auto const& analysis = *statement.analysis;
        if (!sql::with_hint(analysis.verdict, sql::hint_of(analysis, statement.text)).may_read) return false;
        // A cursor lasts longer than what chose its server, and so does whatever ties the session to a backend.
        return std::ranges::none_of(analysis.statements, lasts);
    }

    Statement known(std::string_view name) const { return name.empty() && unnamed_ ? *unnamed_ : find_(name); }

    bool take(Statement const& statement) {
        ++statements_;
        if (!statement.analysis) return false;
        read_.add(statement.analysis->verdict.touched);
        reads_ = reads_ && reads(statement);
        ends_ = ends_ || ends_transaction(*statement.analysis);
        return true;
    }

    Batch finish(Batch batch) {
        // A Sync alone asks for nothing but ReadyForQuery.
        if (statements_ == 0 && batch.bytes > wire::header_size) return {};
        batch.read = std::move(read_);
        batch.kind = reads_ ? Batch::Kind::reads : ends_ ? Batch::Kind::ends_transaction : Batch::Kind::other;
        return batch;
    }

    LookAt look_at_;
    Find find_;
    std::optional<Statement> unnamed_;
    std::size_t statements_ = 0;
    sql::Touched read_;
    bool reads_ = true;
    bool ends_ = false;
};

Batch Relay::next_batch() {
    BatchReader reader([this](std::string_view text) {
                           if (read_own_statement(text, strings_conform())) return BatchReader::Statement{};
                           return BatchReader::Statement{text, look_at(text)};
                       },
                       [this](std::string_view name) {
                           auto const statement = state_.find(name);
                           if (!statement || statement->own) return BatchReader::Statement{};
                           return BatchReader::Statement{statement->text, analysis_of(statement)};
                       });
    return reader.read(input());
}

// Before the first message of a batch. 'yes': it may be taken as it is; a backend is there, or the primary's is to be had.
Relay::Took Relay::place_batch(wire::Header header) {
    looked_at_.reset();
    // Whatever is answered must be part of a batch on a replica, a Flush that is refused too; some of them can begin one.
    auto const is_among = [&](std::string_view types) { return types.find(header.type) != types.npos; };
    bool const begins = is_among("QPBDE");
    bool const is_answered = begins || is_among("CFS") || (header.type == 'H' && header.body > 0);
    bool const is_free = at_.backend == nullptr && host_.splits() && replay_.empty() && (deferred_begin_.empty() || begin_reads_);
    bool const is_placed = at_.is_on_replica ? is_answered : is_free && begins;
    if (!is_placed) return Took::yes;
    auto const batch = next_batch();
    // What was proven to read was proven of a catalog that may be another one by now.
    if (batch.kind == Batch::Kind::reads && host_.must_wait_for_facts()) return Took::need_facts;
    looked_at_ = batch.query;
    if (at_.backend != nullptr) return continue_on_replica(batch);
    if (batch.kind != Batch::Kind::reads) return Took::yes;
    // What the statements of a block will read is not known yet.
    bool const begins_block = !deferred_begin_.empty();
    if (!host_.acquire(Route::reads, begins_block ? sql::Touched::all() : batch.read)) return Took::need_backend;
    if (at_.is_on_replica) keep(batch);
    return Took::yes;
}

// A replica serves: reads go on there, everything else waits until it does no more.
Relay::Took Relay::continue_on_replica(Batch const& batch) {
    bool const reads = batch.kind == Batch::Kind::reads;
    if (reads && at_.backend->asked.size() > most_asked) return Took::await_server;
    // Where a block was begun for want of a statement, the place was chosen before this one came.
    if (reads && at_.nothing_sent_to_replica && (at_.block_begin.empty() || host_.may_read_on(batch.read))) {
        keep(batch);
        return Took::yes;
    }
    bool const is_answered = at_.backend->expected.empty();
    bool const is_in_block = at_.backend->transaction != 'I' || !at_.block_begin.empty();
    // Others may have been told of more since the place was chosen.
    bool const may_follow = reads && (at_.backend->transaction == 'E' || host_.may_read_on(batch.read));
    if (!is_in_block && may_follow) {
        keep(batch);
        return Took::yes;
    }
    if (!is_answered) return Took::await_server;
    if (!is_in_block) return Took::give_back;
    if (at_.backend->transaction == 'E' && leaves_and_goes_on(batch.query.get())) {
        leave_replica();
        block_was_aborted_ = true;
        return Took::await_server;
    }
    if (at_.backend->transaction == 'E' || may_follow || batch.kind == Batch::Kind::ends_transaction) {
        at_.batch_left = batch.bytes;
        return Took::yes;
    }
    leave_replica();
    return Took::await_server;
}

// Each statement has a snapshot of its own: what the block reads on another server is what it would have read here.
bool Relay::may_begin_on_replica(std::string_view begin) const {
    sql::Cursor cursor(begin, true);
    cursor.advance();
    if (!cursor.accept("transaction")) cursor.accept("work");
    auto const modes = sql::read_transaction_modes(cursor);
    bool const is_read_committed = modes && (modes->isolation.empty() ? !state_.settings()->contains("default_transaction_isolation")
                                                                      : modes->isolation == "read committed");
    return is_read_committed && modes->read_only.value_or(false);
}

// A READ ONLY block that has but read so far, and each time by a snapshot of its own, goes on on the primary.
void Relay::leave_replica() {
    send_our_query("COMMIT");
    deferred_begin_ = std::exchange(at_.block_begin, {});
    begin_reads_ = false;
}

void Relay::keep(Batch const& batch) {
    at_.batch_left = batch.bytes;
    at_.nothing_sent_to_replica = false;
    at_.backend->asked.append(input().substr(0, batch.bytes));
    at_.backend->asked_sizes.push_back(batch.bytes);
    at_.withholds_reply = at_.withholds_reply || at_.backend->asked_sizes.size() == 1;
}

// The oldest batch has been answered.
void Relay::forget_batch() {
    pass_held();
    if (at_.backend->asked_sizes.empty()) return;
    at_.backend->asked.consume(at_.backend->asked_sizes.front());
    at_.backend->asked_sizes.erase(at_.backend->asked_sizes.begin());
    at_.withholds_reply = !at_.backend->asked_sizes.empty();
}

void Relay::pass_held() {
    if (!std::exchange(at_.withholds_reply, false)) return;
    client_.output().append(at_.backend->held.view());
    at_.backend->held.clear();
}

// A message that reaches the client: the first that matters ends the chance to ask elsewhere.
void Relay::before_passing(char type, std::string_view body) {
    bool const may_wait = comes_before_rows(type) && at_.backend->held.size() <= most_withheld;
    if (!at_.withholds_reply || may_wait) return;
    at_.discards_reply = type == 'E' && is_of_place(wire::ErrorFields::parse(body).sqlstate);
    if (at_.discards_reply) at_.withholds_reply = false;
    else pass_held();
}

bool Relay::can_ask_elsewhere() const { return at_.backend != nullptr && at_.is_on_replica && (at_.withholds_reply || at_.discards_reply); }

void Relay::ask_elsewhere() {
    replay_.append(at_.backend->asked.view());
    // What of the last batch has not been looked at yet is among it.
    client_.consume(at_.batch_left);
    ignores_until_sync_ = false;
    if (!at_.block_begin.empty()) {
        deferred_begin_ = std::exchange(at_.block_begin, {});
        begin_reads_ = false;
    }
    at_.batch_left = client_passing_ = 0;
    at_.withholds_reply = at_.discards_reply = false;
}

void Relay::consume(std::size_t count) {
    progress_ += count;
    at_.batch_left -= std::min(at_.batch_left, count);
    if (replay_.empty()) return client_.consume(count);
    replay_.consume(count);
    replay_.release();
}

}  // namespace pgtandem::proxy
