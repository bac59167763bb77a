#include "cli/command_line.hpp"

#include <gtest/gtest.h>

namespace pgtandem::cli {

using Words = std::vector<std::string>;

TEST(CommandLine, reads_options_in_both_ways_and_the_last_one_counts) {
    auto const line =
        parse_command_line({"up", "--replicas", "2", "--replicas=3", "--detach", "--set", "a=1", "--set=b=2"});
    ASSERT_TRUE(line) << line.error().line();
    EXPECT_EQ(line->command, "up");
    EXPECT_EQ(line->value("replicas"), "3");
    EXPECT_TRUE(line->has("detach"));
    EXPECT_FALSE(line->has("dir"));
    EXPECT_EQ(line->value("dir"), "");
    EXPECT_EQ(line->options.at("set"), (Words{"a=1", "b=2"}));
}

TEST(CommandLine, gives_on_what_follows_two_dashes_untouched) {
    auto const line = parse_command_line({"psql", "--replica", "node2", "--", "--help", "-c", "TABLE t", "--"});
    ASSERT_TRUE(line) << line.error().line();
    EXPECT_EQ(line->value("replica"), "node2");
    EXPECT_EQ(line->rest, (Words{"--help", "-c", "TABLE t", "--"}));
    EXPECT_FALSE(line->wants_help);
}

TEST(CommandLine, takes_arguments_where_the_command_has_some) {
    auto const line = parse_command_line({"replica", "add", "--dir", "x", "node7"});
    ASSERT_TRUE(line) << line.error().line();
    EXPECT_EQ(line->arguments, (Words{"add", "node7"}));
}

TEST(CommandLine, helps_wherever_it_is_asked) {
    EXPECT_EQ(parse_command_line({})->command, "");
    for (auto const& words : {Words{"--help"}, Words{"-h"}, Words{"help"}}) {
        EXPECT_TRUE(parse_command_line(words)->wants_help);
        EXPECT_EQ(parse_command_line(words)->command, "");
    }
    for (auto const& words :
         {Words{"help", "up"}, Words{"up", "--help"}, Words{"up", "-h"}, Words{"up", "--detach", "-h"}}) {
        EXPECT_TRUE(parse_command_line(words)->wants_help);
        EXPECT_EQ(parse_command_line(words)->command, "up");
    }
    EXPECT_TRUE(parse_command_line({"--version"})->wants_version);
}

TEST(CommandLine, refuses_what_it_does_not_know_and_names_the_nearest) {
    struct Case {
        Words words;
        std::string_view on, hint;
    };
    for (auto const& [words, on, hint] : {
             Case{{"sttus"}, "sttus", "did you mean status?"},
             Case{{"frobnicate"}, "frobnicate", "pgtandem --help"},
             Case{{"help", "verfy"}, "verfy", "did you mean verify?"},
             Case{{"up", "--replica", "2"}, "--replica", "did you mean --replicas?"},
             Case{{"up", "--replica=2"}, "--replica", "did you mean --replicas?"},
             Case{{"up", "--frobnicate"}, "--frobnicate", "pgtandem up --help"},
             Case{{"down", "--jsn"}, "--jsn", "pgtandem down --help"},
             Case{{"status", "--jsn"}, "--jsn", "did you mean --json?"},
             Case{{"up", "--"}, "--", "pgtandem up --help"},
             Case{{"psql", "---", "--", "x"}, "--", "pgtandem psql --help"},
             Case{{"up", "2"}, "2", "pgtandem up --help"},
             Case{{"psql", "-c", "x"}, "--c", "pgtandem psql --help"},
             Case{{"up", "--replicas"}, "pgtandem up", "pgtandem up --help"},
         }) {
        auto const line = parse_command_line(words);
        ASSERT_FALSE(line) << words.back();
        EXPECT_EQ(line.error().kind, ErrorKind::usage);
        EXPECT_EQ(line.error().on, on);
        EXPECT_EQ(line.error().hint, hint) << words.back();
    }
}

TEST(CommandLine, never_proposes_an_internal_command) {
    auto const line = parse_command_line({"gurd"});
    ASSERT_FALSE(line);
    EXPECT_EQ(line.error().hint.find("guard"), std::string::npos);
    EXPECT_EQ(overview().find("guard"), std::string::npos);
}

TEST(Help, names_every_option_and_gives_examples) {
    for (auto const& command : command_rows()) {
        auto const text = help(command);
        for (auto const option : command.options) {
            EXPECT_NE(text.find("--" + std::string(option) + " "), std::string::npos) << text;
        }
        if (command.is_internal) continue;
        EXPECT_NE(text.find("examples:\n  pgtandem " + std::string(command.name)), std::string::npos) << text;
        EXPECT_NE(overview().find("  " + std::string(command.name)), std::string::npos);
    }
}

TEST(Help, examples_are_command_lines_that_can_be_given) {
    for (auto const& command : command_rows()) {
        if (command.is_internal) continue;
        std::string_view rest = command.examples;
        while (!rest.empty()) {
            auto const example = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(rest.size(), example.size() + 1));
            Words words;
            for (std::size_t at = 0; at <= example.size();) {
                auto const end = std::min(example.find(' ', at), example.size());
                words.emplace_back(example.substr(at, end - at));
                at = end + 1;
            }
            ASSERT_EQ(words[0], "pgtandem");
            words.erase(words.begin());
            auto const line = parse_command_line(words);
            EXPECT_TRUE(line) << example << ": " << line.error().line();
        }
    }
}

}  // namespace pgtandem::cli
