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

bool is_of_place(std::string_view sqlstate) {
    return std::ranges::any_of(errors_of_place, [&](auto known) { return sqlstate.starts_with(known); });
}

bool ends_transaction(sql::Analysis const& analysis) {
    if (analysis.statements.size() != 1) return false;
    auto const& effects = analysis.statements.front();
    return (effects.verb == sql::Verb::commit || effects.verb == sql::Verb::rollback) && !effects.has_chain;
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
            if (header->type == 'S') return finish(batch);
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
            case 'H': return true;
            default: return false;
        }
    }

    static bool reads(Statement const& statement) {
        auto const& analysis = *statement.analysis;
        if (!sql::with_hint(analysis.verdict, statement.text, true).may_read) return false;
        // A cursor lasts longer than what chose its server, and so does whatever ties the session to a backend.
        return std::ranges::none_of(analysis.statements, lasts);
    }

    Statement known(std::string_view name) const { return name.empty() && unnamed_ ? *unnamed_ : find_(name); }

    bool take(Statement const& statement) {
        ++statements_;
        if (!statement.analysis) return false;
        reads_ = reads_ && reads(statement);
        ends_ = ends_ || ends_transaction(*statement.analysis);
        return true;
    }

    Batch finish(Batch batch) const {
        if (statements_ == 0) return {};
        batch.kind = reads_ ? Batch::Kind::reads : ends_ ? Batch::Kind::ends_transaction : Batch::Kind::other;
        return batch;
    }

    LookAt look_at_;
    Find find_;
    std::optional<Statement> unnamed_;
    std::size_t statements_ = 0;
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
Relay::Took Relay::place_batch(char type) {
    looked_at_.reset();
    bool const is_statement = std::string_view("QPBDE").find(type) != std::string_view::npos;
    bool const is_free = backend_ == nullptr && host_.splits() && replay_.empty() && (deferred_begin_.empty() || begin_reads_);
    if (!is_statement || (!is_free && !is_on_replica_)) return Took::yes;
    auto const batch = next_batch();
    // What was proven to read was proven of a catalog that may be another one by now.
    if (batch.kind == Batch::Kind::reads && host_.must_wait_for_facts()) return Took::need_facts;
    looked_at_ = batch.query;
    if (backend_ != nullptr) return continue_on_replica(batch);
    if (batch.kind != Batch::Kind::reads) return Took::yes;
    if (!host_.acquire(Route::reads)) return Took::need_backend;
    if (is_on_replica_) keep(batch);
    return Took::yes;
}

// A replica serves: reads go on there, everything else waits until it does no more.
Relay::Took Relay::continue_on_replica(Batch const& batch) {
    bool const reads = batch.kind == Batch::Kind::reads;
    if (reads && is_fresh_) {
        keep(batch);
        return Took::yes;
    }
    bool const is_settled = backend_->expected.empty();
    bool const is_in_block = backend_->transaction != 'I' || !block_begin_.empty();
    if (!is_in_block && reads) {
        keep(batch);
        return Took::yes;
    }
    if (!is_settled) return Took::wait;
    if (!is_in_block) return Took::give_back;
    if (backend_->transaction == 'E' || reads || batch.kind == Batch::Kind::ends_transaction) {
        batch_left_ = batch.bytes;
        return Took::yes;
    }
    leave_replica();
    return Took::wait;
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
    deferred_begin_ = std::exchange(block_begin_, {});
    begin_reads_ = false;
}

void Relay::keep(Batch const& batch) {
    batch_left_ = batch.bytes;
    is_fresh_ = false;
    backend_->asked.append(input().substr(0, batch.bytes));
    backend_->asked_sizes.push_back(batch.bytes);
    holds_ = holds_ || backend_->asked_sizes.size() == 1;
}

// The oldest batch has been answered.
void Relay::forget_batch() {
    pass_held();
    if (backend_->asked_sizes.empty()) return;
    backend_->asked.consume(backend_->asked_sizes.front());
    backend_->asked_sizes.erase(backend_->asked_sizes.begin());
    holds_ = !backend_->asked_sizes.empty();
}

void Relay::pass_held() {
    if (!std::exchange(holds_, false)) return;
    client_.output().append(backend_->held.view());
    backend_->held.clear();
}

// A message that reaches the client: the first that matters ends the chance to ask elsewhere.
void Relay::before_passing(char type, std::string_view body) {
    if (!holds_ || comes_before_rows(type)) return;
    drops_ = type == 'E' && is_of_place(wire::ErrorFields::parse(body).sqlstate);
    if (drops_) holds_ = false;
    else pass_held();
}

bool Relay::can_ask_elsewhere() const { return backend_ != nullptr && is_on_replica_ && (holds_ || drops_); }

void Relay::ask_elsewhere() {
    replay_.append(backend_->asked.view());
    if (!block_begin_.empty()) {
        deferred_begin_ = std::exchange(block_begin_, {});
        begin_reads_ = false;
    }
    batch_left_ = client_passing_ = 0;
    holds_ = drops_ = false;
}

void Relay::consume(std::size_t count) {
    batch_left_ -= std::min(batch_left_, count);
    if (replay_.empty()) return client_.consume(count);
    replay_.consume(count);
    replay_.release();
}

}  // namespace pgtandem::proxy
