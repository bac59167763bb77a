#include "proxy/settings_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace pgtandem::proxy {

namespace {

std::string value(EndpointSettings const& settings, std::string_view name) {
    return std::ranges::find(endpoint_setting_rows(), name, &SettingRow::name)->get(settings);
}

Status set(EndpointSettings& settings, std::string const& name, std::string const& text) {
    return set_endpoint_setting(settings, name, text, "the test");
}

}  // namespace

TEST(EndpointSettingsTable, names_each_setting_once) {
    std::vector<std::string_view> names;
    for (auto const& row : endpoint_setting_rows()) names.push_back(row.name);
    std::ranges::sort(names);
    EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
    EXPECT_TRUE(std::ranges::none_of(names, [](auto name) { return name.find('-') != name.npos; }));
}

TEST(EndpointSettingsTable, takes_each_default_as_it_shows_it) {
    for (auto const& row : endpoint_setting_rows()) {
        EndpointSettings settings;
        auto const shown = row.get(settings);
        EXPECT_TRUE(row.set(settings, shown)) << row.name;
        EXPECT_EQ(row.get(settings), shown) << row.name;
    }
}

// Each row reaches its own setting and no other.
TEST(EndpointSettingsTable, sets_one_setting_a_row) {
    for (auto const& row : endpoint_setting_rows()) {
        EndpointSettings settings;
        bool is_set = false;
        for (auto const* const text : {"2000", "strict", "session", "epoll", "require", "off", "on", "node1=7", "other"}) {
            if (is_set || text == row.get(settings) || !row.set(settings, text)) continue;
            is_set = true;
            EXPECT_EQ(row.get(settings), text) << row.name;
        }
        // Beyond a port's or a thread count's range.
        if (!is_set) is_set = row.set(settings, "7").has_value();
        EXPECT_TRUE(is_set) << row.name;
        std::vector<std::string_view> differing;
        for (auto const& other : endpoint_setting_rows()) {
            if (other.get(settings) != other.get({})) differing.push_back(other.name);
        }
        EXPECT_EQ(differing, std::vector<std::string_view>{row.name});
    }
}

TEST(EndpointSettingsTable, takes_numbers_between_their_bounds_only) {
    struct Row {
        char const* name;
        std::vector<char const*> good;
        std::vector<char const*> bad;
    };
    for (auto const& [name, good, bad] : std::vector<Row>{
             {"port", {"0", "65535"}, {"65536", "-1", "", "1.5", "1 ", " 1", "0x10", "18446744073709551616"}},
             {"threads", {"0", "256"}, {"257"}},
             {"pool_size", {"1", "100000"}, {"0", "100001"}},
             {"analysed_bytes", {"1024", "1073741824"}, {"1023", "1073741825"}},
             {"login_timeout_ms", {"0", "1099511627776"}, {"1099511627777", "1s"}},
             {"pool_mode", {"transparent", "transaction", "session"}, {"statement", "", "Session"}},
             {"io", {"automatic", "io_uring", "epoll"}, {"kqueue"}},
             {"tls", {"off", "allow", "require"}, {"on"}},
         }) {
        EndpointSettings settings;
        for (auto const* const text : good) {
            EXPECT_TRUE(set(settings, name, text)) << name << " = " << text;
            EXPECT_EQ(value(settings, name), text);
        }
        auto const before = value(settings, name);
        for (auto const* const text : bad) {
            EXPECT_FALSE(set(settings, name, text)) << name << " = " << text;
            EXPECT_EQ(value(settings, name), before) << "a refused value changes nothing";
        }
    }
}

TEST(EndpointSettingsTable, splits_lists_at_commas) {
    EndpointSettings settings;
    ASSERT_TRUE(set(settings, "listen", " 127.0.0.1, ::1 ,,"));
    EXPECT_EQ(settings.listen, (std::vector<std::string>{"127.0.0.1", "::1"}));
    EXPECT_EQ(value(settings, "listen"), "127.0.0.1,::1");
    ASSERT_TRUE(set(settings, "listen", ""));
    EXPECT_TRUE(settings.listen.empty());
}

TEST(EndpointSettingsTable, says_what_is_wrong_and_where_it_stands) {
    EndpointSettings settings;
    auto const bad_value = set(settings, "pool_mode", "statement");
    ASSERT_FALSE(bad_value);
    EXPECT_EQ(bad_value.error().kind, ErrorKind::usage);
    EXPECT_EQ(bad_value.error().on, "pool_mode (the test)");
    EXPECT_EQ(bad_value.error().why, "'statement' is not one of session, transaction, transparent");
    EXPECT_EQ(set(settings, "threads", "many").error().why, "'many' is not a number from 0 to 256");
    auto const unknown = set(settings, "pool_sise", "1");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().on, "the test");
    EXPECT_EQ(unknown.error().why, "there is no setting 'pool_sise'");
    EXPECT_NE(unknown.error().hint.find("pool_size"), std::string::npos);
}

TEST(NeedingRestart, names_what_differs_and_cannot_change_while_running) {
    EndpointSettings before;
    auto after = before;
    EXPECT_EQ(needing_restart(before, after), std::vector<std::string>{});
    after.pool_size = 7;
    EXPECT_EQ(needing_restart(before, after), std::vector<std::string>{});
    after.listen = {"::1"};
    after.port = 1;
    after.reads_port = 2;
    after.unix_socket_folder = "/tmp";
    after.io = io::LoopKind::epoll;
    after.threads = 3;
    EXPECT_EQ(needing_restart(before, after),
              (std::vector<std::string>{"listen", "port", "reads_port", "unix_socket_folder", "io", "threads"}));
}

}  // namespace pgtandem::proxy
