#include "proxy/statement_judge.hpp"

#include <new>

#include "sql/fingerprint.hpp"

namespace pgtandem::proxy {

namespace {

constexpr std::size_t judged_bytes_max = 4 << 20;
sql::CatalogFacts const no_facts;

sql::CatalogFacts const& facts_of(StatementJudge::Statement const& statement) { return statement.facts ? *statement.facts : no_facts; }

void read_text(StatementJudge::Statement& statement, std::uint64_t fingerprint_seed) {
    auto& analysis = statement.analysis;
    analysis = sql::analyze(statement.text, statement.strings_conform, facts_of(statement));
    analysis.marks = sql::read_marks(statement.text);
    analysis.fingerprint = sql::fingerprint(statement.text, statement.strings_conform, fingerprint_seed);
}

}  // namespace

void StatementJudge::read(Statement statement, std::uint64_t fingerprint_seed, Answer answer) {
    read_bytes_ += statement.text.size();
    reads_.run([this, fingerprint_seed, statement = std::move(statement), answer = std::move(answer)]() mutable {
        try {
            read_text(statement, fingerprint_seed);
        } catch (std::bad_alloc const&) {
            statement.analysis = {};
            statement.analysis.has_too_many = true;
        }
        loop_.post([this, statement = std::move(statement), answer = std::move(answer)]() mutable {
            auto const bytes = statement.text.size();
            answer(std::move(statement));
            has_read(bytes);
        });
    });
}

void StatementJudge::has_read(std::size_t bytes) {
    read_bytes_ -= bytes;
    while (has_room() && !waiting_for_room_.empty()) {
        auto const go_on = std::move(waiting_for_room_.front());
        waiting_for_room_.pop_front();
        go_on();
    }
}

void StatementJudge::judge(Statement statement, Answer answer) {
    auto const bytes = statement.text.size();
    if (judged_bytes_ + bytes > judged_bytes_max) return;
    judged_bytes_ += bytes;
    judges_.run([this, bytes, statement = std::move(statement), answer = std::move(answer)]() mutable {
        sql::judge(statement.analysis, statement.text, statement.strings_conform, facts_of(statement), statement.path);
        loop_.post([this, bytes, statement = std::move(statement), answer = std::move(answer)]() mutable {
            judged_bytes_ -= bytes;
            answer(std::move(statement));
        });
    });
}

}  // namespace pgtandem::proxy
