#include "cli/settings.hpp"

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"

namespace pgtandem::cli {

namespace {

// A line of flags, a file and an environment, gathered.
struct Given {
    std::map<std::string, std::vector<std::string>> flags{};
    Environment environment{};
    std::string toml{};
};

Result<Settings> gather(Given const& given) {
    TemporaryFolder const folder;
    auto const file = folder / "pgtandem.toml";
    EXPECT_TRUE(write_file(file, given.toml));
    CommandLine line;
    line.options = given.flags;
    line.options.try_emplace("config", std::vector{file.string()});
    return Settings::gather(line, given.environment, "/default");
}

}  // namespace

TEST(Settings, without_anything_given_are_the_defaults) {
    auto const settings = gather({});
    ASSERT_TRUE(settings) << settings.error().line();
    EXPECT_EQ(settings->number("replicas"), 1U);
    EXPECT_EQ(settings->text("listen"), "127.0.0.1");
    EXPECT_EQ(settings->text("durability"), "sync");
    EXPECT_EQ(settings->path("dir"), "/default");
    EXPECT_EQ(settings->at("port").source, "default");
    EXPECT_FALSE(settings->at("port").is_given);
}

TEST(Settings, flags_win_over_the_environment_over_the_file_over_what_is_remembered_over_defaults) {
    struct Case {
        Given given;
        std::string_view value, source;
    };
    std::string const toml = "replicas = 2\n";
    for (auto const& [given, value, source] : {
             Case{{{{"replicas", {"4"}}}, {{"PGTANDEM_REPLICAS", "3"}}, toml}, "4", "--replicas"},
             Case{{{}, {{"PGTANDEM_REPLICAS", "3"}}, toml}, "3", "PGTANDEM_REPLICAS"},
             Case{{{}, {}, toml}, "2", "pgtandem.toml"},
             Case{{}, "5", "cluster"},
         }) {
        auto settings = gather(given);
        ASSERT_TRUE(settings) << settings.error().line();
        settings->add_remembered({{"replicas", "5"}, {"listen", ""}}, {});
        EXPECT_EQ(settings->text("replicas"), value);
        EXPECT_TRUE(settings->at("replicas").source.ends_with(source)) << settings->at("replicas").source;
        EXPECT_EQ(settings->text("listen"), "127.0.0.1");
    }
}

TEST(Settings, of_postgresql_come_from_the_file_and_from_set) {
    auto settings =
        gather({{{"set", {"work_mem=1MB", "Shared_Buffers = 2GB", "x.y=a=b"}}},
                {},
                "[postgresql]\nwork_mem = \"9MB\"\nmax_connections = 200\nfsync = false\nrandom_page_cost = 1.5\n"});
    ASSERT_TRUE(settings) << settings.error().line();
    settings->add_remembered({}, {{"work_mem", "7MB"}, {"jit", "off"}});
    std::map<std::string, std::string> values;
    for (auto const& [name, setting] : settings->postgresql()) values[name] = setting.value;
    EXPECT_EQ(values, (std::map<std::string, std::string>{{"work_mem", "1MB"},
                                                          {"shared_buffers", "2GB"},
                                                          {"x.y", "a=b"},
                                                          {"max_connections", "200"},
                                                          {"fsync", "off"},
                                                          {"random_page_cost", "1.5"},
                                                          {"jit", "off"}}));
}

TEST(Settings, the_environment_may_name_the_file) {
    TemporaryFolder const folder;
    ASSERT_TRUE(write_file(folder / "other.toml", "archive_size = \"2GB\"\n"));
    auto const settings = Settings::gather({}, {{"PGTANDEM_CONFIG", (folder / "other.toml").string()}}, "/default");
    ASSERT_TRUE(settings) << settings.error().line();
    EXPECT_EQ(settings->text("archive-size"), "2GB");
}

TEST(Settings, lists_of_the_file_have_commas) {
    auto const settings = gather({{}, {}, "listen = ['127.0.0.1', '::1']\n[postgresql]\nshared_preload_libraries = ['auto_explain', 'pg_prewarm']\n"
                                          "[endpoint]\nconsole-readers = ['a', 'b']\n"});
    ASSERT_TRUE(settings) << settings.error().line();
    EXPECT_EQ(settings->text("listen"), "127.0.0.1,::1");
    EXPECT_EQ(settings->postgresql().at("shared_preload_libraries").value, "auto_explain,pg_prewarm");
    EXPECT_EQ(settings->endpoint().at("console_readers").value, "a,b");
}

TEST(Settings, folders_are_made_absolute) {
    auto const settings = gather({{{"dir", {"a/../b/"}}}, {}, ""});
    ASSERT_TRUE(settings) << settings.error().line();
    EXPECT_EQ(settings->path("dir"), std::filesystem::current_path() / "b");
}

TEST(Settings, refuse_what_makes_no_sense_and_say_where_it_stands) {
    struct Case {
        Given given;
        std::string_view words, hint;
    };
    auto const flag = [](char const* name, char const* value) { return Given{{{name, {value}}}, {}, ""}; };
    for (auto const& [given, words, hint] : {
             Case{flag("replicas", "65"), "replicas (--replicas): '65' is not a number from 0 to 64", ""},
             Case{flag("replicas", "-1"), "is not a number", ""},
             Case{flag("port", "0"), "port (--port): '0' is not a number from 1 to 65535", ""},
             Case{flag("port", "65536"), "is not a number", ""},
             Case{flag("port", "1x"), "is not a number", ""},
             Case{flag("durability", "often"), "'often' is not sync, strict or async", ""},
             Case{flag("listen", ""), "is no list of addresses", ""},
             Case{flag("listen", "a b"), "is no list of addresses", ""},
             Case{flag("dir", ""), "dir: it is empty", ""},
             Case{flag("archive-size", "63MB"), "at least 64MB", ""},
             Case{flag("archive-size", "many"), "not a number and a unit", ""},
             Case{flag("set", "work_mem"), "'work_mem' is not of the form name=value", ""},
             Case{flag("set", "=1"), "is not of the form name=value", ""},
             Case{flag("set", "a b=1"), "'a b' is no setting's name", ""},
             Case{flag("set", "a=1\n2"), "has a line break", ""},
             Case{flag("config", "/none.toml"), "/none.toml: No such file", ""},
             Case{{{}, {{"PGTANDEM_REPLICA", "2"}}, ""}, "PGTANDEM_REPLICA", "did you mean PGTANDEM_REPLICAS?"},
             Case{{{}, {{"PGTANDEM_PORT", "x"}}, ""}, "port (PGTANDEM_PORT)", ""},
             Case{{{}, {}, "replica = 2\n"}, "there is no setting 'replica'", "did you mean replicas?"},
             Case{{{}, {}, "port = \n"}, "pgtandem.toml line 1", ""},
             Case{{{}, {}, "\nport = 1979-05-27\n"}, "port is not text, a number or true or false", ""},
             Case{{{}, {}, "postgresql = 1\n"}, "there is no setting 'postgresql'", ""},
         }) {
        auto const settings = gather(given);
        ASSERT_FALSE(settings) << words;
        EXPECT_NE(settings.error().line().find(words), std::string::npos) << settings.error().line();
        EXPECT_TRUE(hint.empty() || settings.error().hint == hint) << settings.error().hint;
    }
}

TEST(EnvironmentName, is_the_flags_in_capitals) {
    EXPECT_EQ(environment_name("archive-size"), "PGTANDEM_ARCHIVE_SIZE");
}

TEST(ParseSize, reads_powers_of_1024) {
    struct Case {
        char const* text;
        std::uint64_t bytes;
    };
    for (auto const& [text, bytes] : {Case{"0B", 0},
                                      {"64MB", std::uint64_t{64} << 20},
                                      {"1 GB", std::uint64_t{1} << 30},
                                      {"2kB", 2048},
                                      {"4194304TB", std::uint64_t{1} << 62}}) {
        EXPECT_EQ(parse_size(text), bytes) << text;
    }
    for (auto const* text : {"", "1", "GB", "1gb", "-1GB", "1.5GB", "1GBs", "4194305TB", "99999999999999999999B"}) {
        EXPECT_FALSE(parse_size(text)) << text;
    }
}

}  // namespace pgtandem::cli
