#include "proxy/session_state.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {

namespace {

// A session whose server does what PostgreSQL does with transactions: each text is one simple query.
class Session {
public:
    void run(std::string_view text) {
        auto const analysis = sql::analyze(text, true, facts);
        state.about_to_run(analysis, text, true);
        for (auto const& effects : analysis.statements) complete(effects);
        if (!in_block_) ended = state.transaction_ended("ISO, MDY", true);
    }
    // The statements before the last one succeed.
    void run_failing(std::string_view text) {
        auto const analysis = sql::analyze(text, true, facts);
        state.about_to_run(analysis, text, true);
        for (std::size_t at = 0; at + 1 < analysis.statements.size(); ++at) complete(analysis.statements[at]);
        state.failed();
        has_failed_ = true;
        if (in_block_) return;
        has_failed_ = false;
        ended = state.transaction_ended("ISO, MDY", true);
    }
    // One that begins with '!' fails.
    void run_all(std::vector<std::string_view> const& texts) {
        for (auto const text : texts) text.starts_with('!') ? run_failing(text.substr(1)) : run(text);
    }
    std::string settings() const { return statements_between(*no_settings(), *state.settings()); }

    sql::CatalogFacts facts{};
    SessionState state{};
    SessionState::Ended ended{};

private:
    void complete(sql::Effects const& effects) {
        bool const is_end = effects.verb == sql::Verb::commit || effects.verb == sql::Verb::rollback;
        bool const commits = effects.verb == sql::Verb::commit && !has_failed_;
        if (effects.verb == sql::Verb::begin) in_block_ = true;
        if (is_end) in_block_ = false;
        if (is_end || effects.verb == sql::Verb::rollback_to) has_failed_ = false;
        state.completed(effects, commits ? "COMMIT" : "ROLLBACK");
    }

    bool in_block_ = false;
    bool has_failed_ = false;
};

using Texts = std::vector<std::string_view>;

struct Told {
    Texts texts;
    std::string expected;
};

PreparedRef statement(std::uint64_t id) {
    PreparedStatement statement;
    statement.text = "select " + std::to_string(id);
    return std::make_shared<PreparedStatement const>(std::move(statement));
}

}  // namespace

TEST(SessionState, has_the_settings_that_were_committed) {
    for (auto const& [texts, expected] : std::vector<Told>{
             {{"SET x TO 1"}, "SET x TO 1"},
             {{"SET x TO 1", "SET x TO 2"}, "SET x TO 2"},
             {{"SET x TO 1", "RESET x"}, ""},
             {{"SET x TO 1", "SET y TO 2", "RESET ALL"}, ""},
             {{"SET ROLE bob", "RESET ALL"}, "SET ROLE bob"},
             {{"SET ROLE bob", "SET x TO 1", "DISCARD ALL"}, ""},
             {{"SET x TO 1; SET y TO 2"}, "SET x TO 1; SET y TO 2"},
             {{"!SET x TO 1"}, ""},
             {{"!SET x TO 1; SELECT 1/0"}, ""},
             {{"!SET x TO 1; COMMIT; SELECT 1/0"}, "SET x TO 1"},
             {{"BEGIN", "SET x TO 1", "COMMIT"}, "SET x TO 1"},
             {{"BEGIN", "SET x TO 1", "ROLLBACK"}, ""},
             {{"SET x TO 0", "BEGIN", "SET x TO 1", "ROLLBACK"}, "SET x TO 0"},
             {{"BEGIN", "SET x TO 1", "!SELECT 1/0", "COMMIT"}, ""},
             {{"BEGIN", "SET LOCAL x TO 1", "COMMIT"}, ""},
             {{"SELECT set_config('x', '1', false)"}, "SELECT pg_catalog.set_config('x', '1', false)"},
         }) {
        Session session;
        session.run_all(texts);
        EXPECT_EQ(session.settings(), expected) << texts.back();
    }
}

TEST(SessionState, has_of_the_date_style_what_the_server_made_of_it) {
    Session session;
    session.run_all({"BEGIN", "SET datestyle TO iso", "SET datestyle TO ymd", "COMMIT"});
    EXPECT_EQ(session.settings(), "SET datestyle TO 'ISO, MDY'");
    session.run("RESET datestyle");
    EXPECT_EQ(session.settings(), "");
}

TEST(SessionState, goes_back_to_savepoints) {
    for (auto const& [texts, expected] : std::vector<Told>{
             {{"SET x TO 1", "SAVEPOINT s", "SET x TO 2", "ROLLBACK TO s"}, "SET x TO 1"},
             {{"SET x TO 1", "SAVEPOINT s", "SET x TO 2", "RELEASE s"}, "SET x TO 2"},
             {{"SAVEPOINT s", "SET x TO 1", "!SELECT 1/0", "ROLLBACK TO s", "SET y TO 2"}, "SET y TO 2"},
             {{"SAVEPOINT a", "SET x TO 1", "SAVEPOINT b", "SET x TO 2", "ROLLBACK TO a"}, ""},
             {{"SAVEPOINT a", "SET x TO 1", "ROLLBACK TO a", "SET x TO 2", "ROLLBACK TO a"}, ""},
             {{"SAVEPOINT a", "SET x TO 1", "SAVEPOINT b", "ROLLBACK TO a", "!ROLLBACK TO b", "ROLLBACK TO a"}, ""},
             // Of two with one name it is the last one, until that is released.
             {{"SAVEPOINT s", "SET x TO 1", "SAVEPOINT s", "SET x TO 2", "ROLLBACK TO s"}, "SET x TO 1"},
             {{"SAVEPOINT s", "SET x TO 1", "SAVEPOINT s", "SET x TO 2", "RELEASE s", "ROLLBACK TO s"}, ""},
             {{"SAVEPOINT s", "SET x TO 1", "SAVEPOINT b", "SAVEPOINT s", "RELEASE b", "ROLLBACK TO s"}, ""},
         }) {
        Session session;
        session.run("BEGIN");
        session.run_all(texts);
        session.run("COMMIT");
        EXPECT_EQ(session.settings(), expected) << texts.back();
    }
}

TEST(SessionState, forgets_savepoints_with_their_transaction) {
    Session session;
    session.run_all({"BEGIN", "SAVEPOINT s", "COMMIT", "BEGIN", "SET x TO 1", "!ROLLBACK TO s", "ROLLBACK"});
    session.run_all({"BEGIN", "SET x TO 1", "COMMIT"});
    EXPECT_EQ(session.settings(), "SET x TO 1");
}

TEST(SessionState, has_again_what_it_began_with_after_a_reset) {
    std::string const first = "SET application_name TO 'first'";
    for (auto const& [texts, expected] : std::vector<Told>{
             {{"SELECT 1"}, ""},
             {{"RESET x"}, ""},
             {{"RESET ALL"}, first},
             {{"RESET application_name"}, first},
             {{"DISCARD ALL"}, first},
             {{"SET application_name TO 'x'", "RESET ALL"}, first},
             {{"BEGIN", "RESET ALL", "ROLLBACK"}, ""},
             {{"!RESET ALL; SELECT 1/0"}, ""},
             {{"!RESET ALL; COMMIT; SELECT 1/0"}, first},
             {{"BEGIN; SAVEPOINT s; RESET ALL; ROLLBACK TO s; COMMIT"}, ""},
             {{"BEGIN; RESET ALL; SAVEPOINT s; SELECT 1; ROLLBACK TO s; COMMIT"}, first},
             {{"RESET ALL; SET application_name TO 'x'"}, ""},
         }) {
        Session session;
        session.state.begin_with("application_name", first);
        session.run_all(texts);
        EXPECT_EQ(session.state.lacking_statements(), expected) << texts.back();
        // What it lacks is not on the backend, and nothing else differs.
        EXPECT_EQ(statements_between(*session.ended.on_backend, *session.state.settings()), expected) << texts.back();
        session.state.lacks_nothing();
        EXPECT_EQ(session.state.lacking_statements(), "");
    }
}

TEST(SessionState, began_with_is_what_it_has) {
    Session session;
    session.state.begin_with("application_name", "SET application_name TO 'first'");
    EXPECT_EQ(session.settings(), "SET application_name TO 'first'");
    EXPECT_EQ(session.state.lacking_statements(), "");
    session.run_all({"SET application_name TO 'x'", "!RESET ALL; SELECT 1/0"});
    EXPECT_EQ(session.settings(), "SET application_name TO 'x'");
}

TEST(SessionState, is_pinned_by_what_cannot_be_brought_along) {
    for (auto const& [texts, expected] : std::vector<Told>{
             {{"SELECT 1"}, ""},
             {{"CREATE TEMP TABLE t (a int)"}, "temporary table"},
             {{"LISTEN a", "SELECT nextval('s')"}, "listen, drawn number"},
             {{"!LISTEN a"}, "listen"},
             {{"BEGIN", "LISTEN a", "ROLLBACK"}, "listen"},
             {{"LISTEN a", "UNLISTEN a"}, "listen"},
             {{"LISTEN a", "UNLISTEN *"}, ""},
             {{"LISTEN a", "!UNLISTEN *"}, "listen"},
             {{"UNLISTEN *; LISTEN a"}, "listen"},
             {{"LISTEN a", "BEGIN", "UNLISTEN *", "ROLLBACK"}, "listen"},
             {{"LISTEN a", "BEGIN", "UNLISTEN *", "!SELECT 1/0", "COMMIT"}, "listen"},
             {{"LISTEN a", "BEGIN", "UNLISTEN *", "LISTEN b", "COMMIT"}, "listen"},
             {{"LISTEN a", "BEGIN", "SAVEPOINT s", "UNLISTEN *", "ROLLBACK TO s", "COMMIT"}, "listen"},
             {{"LISTEN a", "BEGIN", "UNLISTEN *", "SAVEPOINT s", "ROLLBACK TO s", "COMMIT"}, ""},
             {{"PREPARE p AS SELECT 1", "BEGIN", "DEALLOCATE ALL", "SAVEPOINT s", "PREPARE p AS SELECT 1", "ROLLBACK TO s",
               "COMMIT"},
              "prepared statement"},
             {{"LISTEN a", "CREATE TEMP TABLE t (a int)", "DISCARD TEMP"}, "listen"},
             {{"LISTEN a", "CREATE TEMP TABLE t (a int)", "DISCARD ALL"}, ""},
         }) {
        Session session;
        session.run_all(texts);
        EXPECT_EQ(session.state.pins().names(), expected) << texts.back();
        EXPECT_EQ(session.state.is_pinned(), !expected.empty());
    }
}

// A pool's reset and the first statement of whoever gets the connection, sent at once.
TEST(SessionState, is_pinned_by_what_was_sent_before_what_unpins_has_completed) {
    Session session;
    session.run("LISTEN a");
    auto const reset = sql::analyze("DISCARD ALL", true, session.facts);
    auto const next = sql::analyze("CREATE TEMP TABLE t (a int)", true, session.facts);
    session.state.about_to_run(reset, "DISCARD ALL", true);
    session.state.about_to_run(next, "CREATE TEMP TABLE t (a int)", true);
    for (auto const* const analysis : {&reset, &next}) {
        session.state.completed(analysis->statements[0], "");
        session.state.transaction_ended("ISO, MDY", true);
    }
    EXPECT_EQ(session.state.pins().names(), "temporary table");
}

TEST(SessionState, says_which_statement_pinned_it_first) {
    Session session;
    session.run_all({"LISTEN a", "CREATE TEMP TABLE t (a int)"});
    EXPECT_EQ(session.state.pinned_by(), "LISTEN a");
    session.run("UNLISTEN *");
    EXPECT_EQ(session.state.pinned_by(), "LISTEN a");
    session.run("DISCARD TEMP");
    EXPECT_EQ(session.state.pinned_by(), "");
    session.run("LISTEN " + std::string(200, 'x'));
    EXPECT_EQ(session.state.pinned_by().size(), 80U);
}

TEST(SessionState, that_never_pins_never_pins) {
    Session session;
    session.state.never_pin();
    session.run_all({"LISTEN a", "LOAD 'unproven'"});
    EXPECT_FALSE(session.state.is_pinned());
}

TEST(SessionState, is_unproven_where_the_catalog_is_not_known) {
    struct Row {
        std::string_view text;
        bool is_pinned;
    };
    for (auto const& [text, is_pinned] :
         std::vector<Row>{{"SELECT 1", true}, {"INSERT INTO t VALUES (1)", true}, {"SET x TO 1", false}, {"BEGIN", false}}) {
        Session session;
        session.state.about_to_run(sql::analyze(text, true, session.facts), text, false);
        EXPECT_EQ(session.state.is_pinned(), is_pinned) << text;
    }
}

// What a transaction has just created is in no facts.
TEST(SessionState, does_not_trust_the_facts_after_ddl_of_the_same_transaction) {
    Session session;
    session.run_all({"BEGIN", "SELECT 1", "CREATE TABLE t (a int)", "SET x TO 1"});
    EXPECT_FALSE(session.state.is_pinned());
    session.run("SELECT 1");
    EXPECT_EQ(session.state.pins().names(), "unproven");
}

TEST(SessionState, tells_once_that_the_catalog_has_changed) {
    struct Row {
        Texts texts;
        bool has_changed;
    };
    for (auto const& [texts, has_changed] : std::vector<Row>{{{"SELECT 1"}, false},
                                                             {{"CREATE TABLE t (a int)"}, true},
                                                             {{"BEGIN", "CREATE TABLE t (a int)", "COMMIT"}, true},
                                                             {{"CREATE TEMP TABLE t (a int)"}, false},
                                                             {{"CREATE TABLE t (a int)", "SET x TO 1"}, false}}) {
        Session session;
        session.run_all(texts);
        EXPECT_EQ(session.ended.catalog_changed, has_changed) << texts.back();
    }
}

TEST(SessionState, remembers_custom_settings_even_after_a_rollback) {
    Session session;
    EXPECT_EQ(session.state.custom_settings(), nullptr);
    session.run_all({"SET x TO 1", "BEGIN", "SET a.b TO 1", "ROLLBACK"});
    EXPECT_TRUE(session.state.has_custom_setting("a.b"));
    EXPECT_FALSE(session.state.has_custom_setting("x"));
    EXPECT_EQ(*session.state.custom_settings(), (std::set<std::string, std::less<>>{"a.b"}));
}

TEST(SessionState, has_prepared_statements_by_the_clients_names) {
    SessionState state;
    auto const one = statement(1);
    auto const two = statement(2);
    state.set("", one);
    state.set("a", one);
    state.set("b", two);
    EXPECT_EQ(state.find(""), one);
    EXPECT_EQ(state.find("a"), one);
    EXPECT_EQ(state.find("b"), two);
    EXPECT_EQ(state.find("c"), nullptr);
    EXPECT_EQ(state.statement_count(), 2U) << "the unnamed one is not counted";
    state.set("a", two);
    EXPECT_EQ(state.find("a"), two);
    state.set("a", nullptr);
    state.set("never_there", nullptr);
    EXPECT_EQ(state.find("a"), nullptr);
    EXPECT_EQ(state.statement_count(), 1U);
    state.drop_unnamed();
    EXPECT_EQ(state.find(""), nullptr);
    EXPECT_EQ(state.find("b"), two);
}

TEST(SessionState, drops_named_statements_as_sql_says) {
    struct Row {
        std::string_view text;
        std::size_t left;
    };
    for (auto const& [text, left] : std::vector<Row>{{"DEALLOCATE a", 1},
                                                     {"DEALLOCATE \"B\"", 1},
                                                     {"DEALLOCATE b", 2},
                                                     {"DEALLOCATE ALL", 0},
                                                     {"DISCARD ALL", 0},
                                                     {"DISCARD PLANS", 2},
                                                     {"BEGIN; DEALLOCATE a; ROLLBACK", 1}}) {
        Session session;
        session.state.set("a", statement(1));
        session.state.set("B", statement(2));
        session.run(text);
        EXPECT_EQ(session.state.statement_count(), left) << text;
    }
}

TEST(SessionState, knows_what_a_portal_runs_until_the_transaction_ends) {
    SessionState state;
    auto const one = statement(1);
    auto const two = statement(2);
    state.bind("", one);
    state.bind("p", two);
    EXPECT_EQ(state.bound(""), one);
    EXPECT_EQ(state.bound("p"), two);
    EXPECT_EQ(state.bound("q"), nullptr);
    state.bind("p", one);
    EXPECT_EQ(state.bound("p"), one);
    state.transaction_ended("ISO, MDY", true);
    EXPECT_EQ(state.bound(""), nullptr);
    EXPECT_EQ(state.bound("p"), nullptr);
}

TEST(SessionState, a_session_with_very_many_settings_keeps_its_backend) {
    SessionState state;
    auto const set = [&](std::string const& name) {
        sql::Analysis analysis;
        analysis.statements.emplace_back();
        analysis.statements.front().verb = sql::Verb::set;
        analysis.statements.front().settings.push_back({sql::SettingChange::Kind::set, name, "SET " + name + " TO 1"});
        state.about_to_run(analysis, "SET", true);
        state.completed(analysis.statements.front(), "SET");
        state.transaction_ended("ISO, MDY", true);
    };
    for (int round = 0; round < 100000; ++round) set("timezone");
    EXPECT_FALSE(state.is_pinned()) << "the same one again and again";
    for (int number = 0; number < 2000; ++number) set("my.s" + std::to_string(number));
    EXPECT_TRUE(state.pins().contains(sql::Pin::unproven));
    EXPECT_LE(state.settings()->size(), 1002U);
    EXPECT_LE(state.custom_settings()->size(), 1002U);
}

TEST(SessionState, has_the_settings_in_force_that_matter_to_a_parser) {
    SessionState state;
    auto const set = [&](sql::SettingChange::Kind kind, std::string const& name, std::string const& value) {
        sql::Effects effects;
        effects.verb = sql::Verb::set;
        effects.settings.push_back({kind, name, "SET " + name + " TO " + value});
        state.completed(effects, "SET");
    };
    set(sql::SettingChange::Kind::set, "application_name", "'a'");
    EXPECT_EQ(state.settings_for_parser("ISO, MDY"), no_settings());
    set(sql::SettingChange::Kind::set_local, "timezone", "'UTC'");
    EXPECT_EQ(state.settings_for_parser("ISO, MDY")->at("timezone"), "SET timezone TO 'UTC'");
    set(sql::SettingChange::Kind::set, "datestyle", "german");
    EXPECT_EQ(state.settings_for_parser("ISO, MDY")->at("datestyle"), "SET datestyle TO 'German, DMY'");
    EXPECT_TRUE(state.has_pending_changes());
    state.transaction_ended("German, DMY", true);
    EXPECT_FALSE(state.has_pending_changes());
    EXPECT_FALSE(state.settings_for_parser("German, DMY")->contains("timezone"));
    EXPECT_EQ(state.settings_for_parser("German, DMY"), state.settings_for_parser("German, DMY"));
}

TEST(SessionState, tells_names_apart_as_the_server_does) {
    SessionState state;
    std::string const name(63, 'n');
    state.set(name + "1", statement(1));
    EXPECT_NE(state.find(name + "2"), nullptr);
    EXPECT_EQ(state.find(name.substr(1)), nullptr);
    EXPECT_GT(state.statement_bytes(), 0U);
    state.set(name + "3", nullptr);
    EXPECT_EQ(state.find(name), nullptr);
    EXPECT_EQ(state.statement_bytes(), 0U);
}

TEST(SessionState, portals_outlive_a_transaction_behind_which_more_was_sent) {
    SessionState state;
    state.bind("", statement(1));
    state.bind("p", statement(2));
    state.transaction_ended("ISO, MDY", false);
    EXPECT_NE(state.bound(""), nullptr);
    EXPECT_NE(state.bound("p"), nullptr);
    state.transaction_ended("ISO, MDY", true);
    EXPECT_EQ(state.bound(""), nullptr);
    EXPECT_EQ(state.bound("p"), nullptr);
}

}  // namespace pgtandem::proxy
