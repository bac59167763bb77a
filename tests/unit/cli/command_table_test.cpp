#include "cli/command_table.hpp"

#include <gtest/gtest.h>

#include <set>

#include "cli/settings.hpp"

namespace pgtandem::cli {

TEST(CommandTable, every_option_of_a_command_is_described_and_every_described_one_is_used) {
    std::set<std::string_view> used;
    for (auto const& command : command_rows()) {
        for (auto const option : command.options) {
            EXPECT_NE(find_option(option), nullptr) << command.name << " " << option;
            used.insert(option);
        }
    }
    for (auto const& option : option_rows()) {
        EXPECT_TRUE(used.contains(option.name)) << option.name;
        EXPECT_FALSE(option.help.empty()) << option.name;
    }
}

TEST(CommandTable, names_stand_once) {
    std::set<std::string_view> names;
    for (auto const& command : command_rows()) EXPECT_TRUE(names.insert(command.name).second) << command.name;
    names.clear();
    for (auto const& option : option_rows()) EXPECT_TRUE(names.insert(option.name).second) << option.name;
}

TEST(CommandTable, finds_nothing_that_is_not_there) {
    EXPECT_EQ(find_command("frobnicate"), nullptr);
    EXPECT_EQ(find_option(""), nullptr);
}

TEST(CommandTable, the_settings_are_those_that_the_flags_say_are_settings) {
    std::set<std::string_view> flags;
    std::set<std::string_view> settings;
    for (auto const& option : option_rows()) {
        if (option.is_setting) flags.insert(option.name);
    }
    for (auto const& row : setting_rows()) settings.insert(row.name);
    EXPECT_EQ(flags, settings);
}

}  // namespace pgtandem::cli
