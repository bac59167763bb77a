#include "proxy/parse_settings.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {

namespace {

using Texts = std::vector<std::string>;

SessionSettings settings_of(std::vector<std::pair<std::string, std::string>> const& values) {
    SessionSettings settings;
    for (auto const& [name, value] : values) settings[name] = "SET " + name + " TO " + value;
    return settings;
}

}  // namespace

TEST(MattersToParser, unless_a_setting_is_known_to_be_read_later) {
    for (auto const* const name : {"timezone", "datestyle", "intervalstyle", "array_nulls", "transform_null_equals", "xmloption", "search_path",
                                   "standard_conforming_strings", "plan_cache_mode", "enable_seqscan", "role", "row_security", "client_encoding",
                                   "extra_float_digits", "bytea_output", "lc_monetary", "my.own", "one_that_a_newer_version_has"}) {
        EXPECT_TRUE(matters_to_parser(name)) << name;
    }
    for (auto const* const name : {"application_name", "statement_timeout", "lock_timeout", "log_statement", "synchronous_commit"}) {
        EXPECT_FALSE(matters_to_parser(name)) << name;
    }
}

TEST(SettingsForParser, are_one_object_for_the_same_content) {
    auto const with = [](std::string const& name, std::string const& application) {
        return changed(no_settings(), {{sql::SettingChange::Kind::set, "timezone", "SET timezone TO " + name},
                                       {sql::SettingChange::Kind::set, "application_name", "SET application_name TO " + application}});
    };
    EXPECT_EQ(settings_for_parser(with("'UTC'", "a")), settings_for_parser(with("'UTC'", "b")));
    EXPECT_NE(settings_for_parser(with("'UTC'", "a")), settings_for_parser(with("'Asia/Tokyo'", "a")));
    EXPECT_EQ(settings_for_parser(changed(no_settings(), {{sql::SettingChange::Kind::set, "lock_timeout", "SET lock_timeout TO 1"}})), no_settings());
}

TEST(SettingsForKeptPlans, are_those_that_literals_are_read_by) {
    auto const with = [](std::string const& name) { return changed(no_settings(), {{sql::SettingChange::Kind::set, name, "SET " + name + " TO 'x'"}}); };
    for (auto const* const name : {"timezone", "array_nulls", "xmloption"}) EXPECT_EQ(settings_for_kept_plans(with(name)), with(name)) << name;
    for (auto const* const name : {"search_path", "role", "work_mem", "application_name"}) EXPECT_EQ(settings_for_kept_plans(with(name)), no_settings()) << name;
}

TEST(LocalStatementsBetween, set_what_differs_until_the_transaction_ends) {
    auto const none = settings_of({});
    auto const utc = settings_of({{"timezone", "'UTC'"}});
    auto const tokyo = settings_of({{"timezone", "'Asia/Tokyo'"}, {"my.own", "1"}});
    EXPECT_EQ(local_statements_between(none, none), Texts{});
    EXPECT_EQ(local_statements_between(utc, utc), Texts{});
    EXPECT_EQ(local_statements_between(none, utc), Texts{"SET LOCAL timezone TO 'UTC'"});
    EXPECT_EQ(local_statements_between(utc, none), Texts{"SET LOCAL \"timezone\" TO DEFAULT"});
    EXPECT_EQ(local_statements_between(tokyo, utc), (Texts{"SET LOCAL \"my\".\"own\" TO DEFAULT", "SET LOCAL timezone TO 'UTC'"}));
}

TEST(LocalStatementsBetween, leave_a_role_first_and_take_one_last) {
    SessionSettings const as_a{{"role", "SET ROLE a"}, {"timezone", "SET timezone TO 'UTC'"}};
    SessionSettings const as_b{{"role", "SET ROLE b"}};
    SessionSettings const as_a_plain{{"role", "SET ROLE a"}};
    EXPECT_EQ(local_statements_between(as_a, as_b), (Texts{"SET LOCAL ROLE NONE", "SET LOCAL \"timezone\" TO DEFAULT", "SET LOCAL ROLE b"}));
    EXPECT_EQ(local_statements_between(as_a, as_a_plain), (Texts{"SET LOCAL ROLE NONE", "SET LOCAL \"timezone\" TO DEFAULT", "SET LOCAL ROLE a"}));
    EXPECT_EQ(local_statements_between(as_a_plain, as_a_plain), Texts{});
    EXPECT_EQ(local_statements_between(as_b, settings_of({})), Texts{"SET LOCAL ROLE NONE"});
    EXPECT_EQ(local_statements_between(settings_of({}), as_b), Texts{"SET LOCAL ROLE b"});
}

TEST(DateStyleAfter, is_what_a_server_makes_of_both) {
    struct Row {
        char const* present;
        char const* set;
        char const* after;
    };
    for (auto const& row : {Row{"ISO, MDY", "'German'", "German, DMY"}, Row{"ISO, MDY", "dmy", "ISO, DMY"}, Row{"ISO, MDY", "'SQL, DMY'", "SQL, DMY"},
                            Row{"SQL, DMY", "iso, ymd", "ISO, YMD"}, Row{"ISO, YMD", "'german, mdy'", "German, MDY"},
                            Row{"ISO, MDY", "'mdy, german'", "German, MDY"}, Row{"Postgres, DMY", "US", "Postgres, MDY"}, Row{"ISO, MDY", "default", ""},
                            Row{"", "iso", ""}, Row{"ISO, MDY", "'nonsense'", ""}}) {
        EXPECT_EQ(date_style_after(row.present, std::string("SET datestyle TO ") + row.set), row.after) << row.set;
    }
}

}  // namespace pgtandem::proxy
