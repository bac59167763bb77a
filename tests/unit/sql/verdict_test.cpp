#include "sql/verdict.hpp"

#include <atomic>
#include <thread>

#include "sql/analyze.hpp"
#include "unit/sql/verdict_case.hpp"

namespace pgtandem::sql {
namespace {

TEST(verdict, the_path_says_who_is_meant) {
    EXPECT_EQ(verdict_of("SELECT steady()").reason, Reason::volatile_function);
    EXPECT_EQ(verdict_of("SELECT steady()", std::vector<std::string>{"public"}).reason, Reason::read);
    EXPECT_EQ(verdict_of("SELECT steady()", std::vector<std::string>{"app", "public"}).reason,
              Reason::volatile_function);
    EXPECT_EQ(verdict_of("SELECT steady()", std::vector<std::string>{}).reason, Reason::unknown_function);
    EXPECT_EQ(verdict_of("SELECT lower('A')", std::vector<std::string>{"app"}).reason, Reason::read);
    EXPECT_EQ(verdict_of("SELECT * FROM items").reason, Reason::not_on_replica);
    EXPECT_EQ(verdict_of("SELECT * FROM items", std::vector<std::string>{"app"}).reason, Reason::not_on_replica);
}

TEST(verdict, what_is_used_without_being_named_counts_for_all) {
    auto rows = small_catalog();
    rows.push_back({"anywhere", "writer", {}, "cast"});
    auto const facts = CatalogFacts::from_rows(rows, {});
    auto const found = verdict("SELECT 1", true, *facts, {});
    EXPECT_EQ(found.reason, Reason::volatile_function);
    EXPECT_EQ(found.detail, "writer");
    auto const trusted = CatalogFacts::from_rows(rows, {.read_only = {"writer"}});
    EXPECT_TRUE(verdict("SELECT 1", true, *trusted, {}).may_read);
}

TEST(verdict, what_runs_at_each_login_counts_for_all) {
    auto rows = small_catalog();
    rows.push_back({"on_login", "pure", {}, "e"});
    auto const found = verdict("SELECT 1", true, *CatalogFacts::from_rows(rows, {}), {});
    EXPECT_EQ(found.reason, Reason::session_state);
    EXPECT_EQ(found.detail, "pure");
}

TEST(verdict, overrides_of_functions) {
    EXPECT_EQ(verdict_of("SELECT writer(1)", {}, {.read_only = {"writer"}}).reason, Reason::read);
    EXPECT_EQ(verdict_of("SELECT liar()", {}, {.read_only = {"liar"}}).reason, Reason::read);
    EXPECT_EQ(verdict_of("SELECT liar()", {}, {.read_only = {"writer"}}).reason, Reason::read);
    EXPECT_EQ(verdict_of("SELECT pure(1)", {}, {.primary = {"pure"}}).reason, Reason::overridden);
    EXPECT_EQ(verdict_of("SELECT now()", {}, {.primary = {"now"}}).reason, Reason::overridden);
    EXPECT_EQ(verdict_of("SELECT pure(1)", {}, {.pinning = {"pure"}}).reason, Reason::side_effect);
}

TEST(verdict, without_a_catalog_nothing_is_proven) {
    EXPECT_EQ(verdict("SELECT 1", true, CatalogFacts(), {}).reason, Reason::catalog_unknown);
}

TEST(verdict, strings_that_the_server_reads_otherwise) {
    auto const facts = CatalogFacts::from_rows(small_catalog(), {});
    EXPECT_TRUE(verdict("SELECT 'a'", false, *facts, {}).may_read);
    auto const found = verdict("SELECT 'a\\'' || nextval('s') || '", false, *facts, {});
    EXPECT_EQ(found.reason, Reason::unparsable);
    EXPECT_TRUE(found.depends_on_literals);
    EXPECT_EQ(verdict("SELECT U&'a'", false, *facts, {}).reason, Reason::unparsable);
    EXPECT_TRUE(verdict("SELECT U&'a'", true, *facts, {}).may_read);
    EXPECT_TRUE(verdict("SELECT E'\\''", true, *facts, {}).may_read);
    EXPECT_TRUE(verdict("SELECT '\xe4\xf6'", true, *facts, {}).may_read);
    EXPECT_FALSE(verdict(std::string_view("SELECT 1\0; DELETE FROM items", 28), true, *facts, {}).may_read);
}

TEST(verdict, says_when_it_is_of_this_text_only) {
    EXPECT_FALSE(verdict_of("SELECT 'a' FROM orders").depends_on_literals);
    EXPECT_TRUE(verdict_of("SELECT current_setting('port')").depends_on_literals);
    EXPECT_TRUE(verdict_of("SELECT current_setting('app.a')").depends_on_literals);
    EXPECT_TRUE(verdict_of("SELECT U&\"d!0061t\" UESCAPE '!' FROM orders").depends_on_literals);
}

TEST(verdict, deep_texts_do_not_take_the_stack) {
    auto const repeated = [](std::string_view part, std::size_t count, std::string_view rest) {
        std::string text = "SELECT ";
        for (std::size_t i = 0; i < count; ++i) text += part;
        return text += rest;
    };
    EXPECT_TRUE(verdict_of(repeated("1+", 4000, "1")).may_read);
    EXPECT_EQ(verdict_of(repeated("1+", 200'000, "1")).reason, Reason::too_long);
    EXPECT_EQ(verdict_of(repeated("(", 200'000, "1")).reason, Reason::too_long);
    EXPECT_EQ(verdict_of(repeated("1 UNION SELECT ", 200'000, "1")).reason, Reason::too_long);
    EXPECT_EQ(verdict_of(repeated("(", 9'000, "1")).reason, Reason::unparsable);
    EXPECT_TRUE(verdict_of(repeated("1 IN (1", 1, "") + repeated(", 2", 100'000, ")").substr(7)).may_read);
}

TEST(verdict, threads_do_not_meet_in_the_parser) {
    auto const facts = CatalogFacts::from_rows(small_catalog(), {});
    std::atomic<int> right = 0;
    auto const ask = [&] {
        for (int i = 0; i < 200; ++i) {
            bool const reads = verdict("SELECT count(*) FROM orders a WHERE a.b > 1", true, *facts, {}).may_read;
            auto const broken = verdict("SELECT * FROM orders WHERE", true, *facts, {}).reason;
            if (reads && broken == Reason::unparsable) ++right;
        }
    };
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) threads.emplace_back(ask);
    }
    EXPECT_EQ(right, 4 * 200);
}

TEST(verdict, a_proven_read_does_not_tie_the_session_for_a_name_it_shares) {
    auto const facts = CatalogFacts::from_rows(small_catalog(), {.read_only = {"move"}});
    ASSERT_TRUE(facts);
    for (auto const* const text : {"SELECT writer(1, 2)", "SELECT move(1, 2)"}) {
        auto analysis = analyze(text, true, *facts);
        EXPECT_FALSE(analysis.statements.at(0).pins.empty()) << text;
        judge(analysis, text, true, *facts, {});
        EXPECT_TRUE(analysis.verdict.may_read) << text;
        EXPECT_TRUE(analysis.statements.at(0).pins.empty()) << text;
    }
    auto writes = analyze("SELECT writer(1)", true, *facts);
    judge(writes, "SELECT writer(1)", true, *facts, {});
    EXPECT_TRUE(writes.statements.at(0).pins.contains(Pin::unproven));
}

}  // namespace
}  // namespace pgtandem::sql
