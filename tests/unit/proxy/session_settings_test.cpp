#include "proxy/session_settings.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {

namespace {

using Kind = sql::SettingChange::Kind;

SettingsRef settings(SessionSettings entries) { return std::make_shared<SessionSettings const>(std::move(entries)); }

SettingsRef const some = settings({{"a.b", "SET a.b TO 1"}, {"role", "SET ROLE bob"}, {"work_mem", "SET work_mem TO 8"}});

}  // namespace

TEST(SessionSettings, change_as_the_statements_say) {
    struct Row {
        std::vector<sql::SettingChange> changes;
        SessionSettings expected;
    };
    for (auto const& [changes, expected] : std::vector<Row>{
             {{{Kind::set, "work_mem", "SET work_mem TO 9"}},
              {{"a.b", "SET a.b TO 1"}, {"role", "SET ROLE bob"}, {"work_mem", "SET work_mem TO 9"}}},
             {{{Kind::reset, "a.b", ""}}, {{"role", "SET ROLE bob"}, {"work_mem", "SET work_mem TO 8"}}},
             {{{Kind::reset, "role", ""}}, {{"a.b", "SET a.b TO 1"}, {"work_mem", "SET work_mem TO 8"}}},
             {{{Kind::reset_all, "", ""}}, {{"role", "SET ROLE bob"}}},
             {{{Kind::reset_all, "", ""}, {Kind::set, "x", "SET x TO 1"}}, {{"role", "SET ROLE bob"}, {"x", "SET x TO 1"}}},
             {{{Kind::set, "x", "SET x TO 1"}, {Kind::reset_all, "", ""}}, {{"role", "SET ROLE bob"}}},
         }) {
        EXPECT_EQ(*changed(some, changes), expected);
    }
}

TEST(SessionSettings, that_end_as_they_were_are_the_same_value) {
    EXPECT_EQ(changed(some, {}), some);
    EXPECT_EQ(changed(some, {{Kind::reset, "not_there", ""}}), some);
    EXPECT_EQ(changed(some, {{Kind::set, "work_mem", "SET work_mem TO 9"}, {Kind::set, "work_mem", "SET work_mem TO 8"}}), some);
    EXPECT_EQ(changed(some, {{Kind::reset_all, "", ""}, {Kind::reset, "role", ""}}), no_settings());
}

// SET LOCAL ends with the transaction: it is nothing to be brought along.
TEST(SessionSettings, of_sessions_that_have_set_the_same_are_one_value) {
    using Kind = sql::SettingChange::Kind;
    sql::SettingChange const a{Kind::set, "a", "SET a TO 1"};
    sql::SettingChange const b{Kind::set, "b", "SET b TO 2"};
    EXPECT_EQ(changed(no_settings(), {a, b}), changed(changed(no_settings(), {b}), {a}));
    for (int at = 0; at < 5000; ++at) changed(no_settings(), {{Kind::set, "a", "SET a TO " + std::to_string(at)}});
    auto const held = changed(no_settings(), {a});
    EXPECT_EQ(*held, (SessionSettings{{"a", "SET a TO 1"}}));
}

TEST(SessionSettings, are_not_changed_by_set_local) {
    EXPECT_EQ(changed(some, {{Kind::set_local, "work_mem", "SET work_mem TO 9"}}), some);
}

TEST(StatementsBetween, bring_a_backend_from_one_to_the_other) {
    struct Row {
        SessionSettings from;
        SessionSettings to;
        std::string expected;
    };
    std::pair<std::string const, std::string> const bob{"role", "SET ROLE bob"};
    std::pair<std::string const, std::string> const ann{"role", "SET ROLE ann"};
    std::pair<std::string const, std::string> const one{"x", "SET x TO 1"};
    std::pair<std::string const, std::string> const two{"x", "SET x TO 2"};
    for (auto const& [from, to, expected] : std::vector<Row>{
             {{}, {}, ""},
             {{one}, {one}, ""},
             {{bob, one}, {bob, one}, ""},
             {{}, {one}, "SET x TO 1"},
             {{one}, {two}, "SET x TO 2"},
             {{one}, {}, "RESET \"x\""},
             {{{"my.Own", "SET my.\"Own\" TO 1"}}, {}, "RESET \"my\".\"Own\""},
             {{one}, {{"y", "SET y TO 1"}}, "RESET \"x\"; SET y TO 1"},
             {{}, {bob, one}, "SET x TO 1; SET ROLE bob"},
             {{bob}, {}, "RESET \"role\""},
             {{bob}, {ann}, "RESET \"role\"; SET ROLE ann"},
             {{bob, one}, {bob, two}, "RESET \"role\"; SET x TO 2; SET ROLE bob"},
             {{bob, one}, {bob}, "RESET \"role\"; RESET \"x\"; SET ROLE bob"},
         }) {
        EXPECT_EQ(statements_between(from, to), expected);
    }
}

TEST(CustomSetting, has_a_dot_in_its_name) {
    EXPECT_TRUE(is_custom("my.setting"));
    EXPECT_FALSE(is_custom("work_mem"));
}

TEST(Changed, LargeValuesEndWithWhoeverHasThem) {
    auto const set = [](std::size_t bytes) { return changed(no_settings(), {{Kind::set, "a.b", "SET a.b TO '" + std::string(bytes, 'x') + "'"}}); };
    EXPECT_EQ(set(10), set(10));
    std::weak_ptr<SessionSettings const> const large = set(1 << 20);
    EXPECT_TRUE(large.expired());
}

}  // namespace pgtandem::proxy
