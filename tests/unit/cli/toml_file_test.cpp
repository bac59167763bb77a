#include "cli/toml_file.hpp"

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"

namespace pgtandem::cli {
namespace {

Result<std::string> text_of(std::string const& value, TomlLists lists = TomlLists::taken) {
    TemporaryFolder const folder;
    auto const file = folder / "some.toml";
    EXPECT_TRUE(write_file(file, "key = " + value + "\n"));
    auto const table = read_toml(file);
    if (!table) return fail(table.error());
    return toml_text(*table->get("key"), "key", file, lists);
}

TEST(TomlFile, ValuesAreWrittenAsPostgreSQLHasThem) {
    for (auto const& [value, text] : {std::pair{"'64MB'", "64MB"}, {"-3", "-3"}, {"1.5", "1.5"}, {"true", "on"}, {"false", "off"}, {"['a', 2]", "a,2"}, {"[]", ""}}) {
        auto const found = text_of(value);
        ASSERT_TRUE(found) << found.error().line();
        EXPECT_EQ(*found, text);
    }
}

TEST(TomlFile, WhatHasNoTextIsRefused) {
    for (auto const* value : {"{ a = 1 }", "1979-05-27", "[['a']]"}) {
        auto const found = text_of(value);
        ASSERT_FALSE(found) << value;
        EXPECT_NE(found.error().line().find("key is not text, a number or true or false"), std::string::npos);
    }
    EXPECT_FALSE(text_of("['a']", TomlLists::refused));
}

TEST(TomlFile, AFaultIsNamedWithItsLine) {
    auto const found = text_of("1\nother = = 2");
    ASSERT_FALSE(found);
    EXPECT_NE(found.error().line().find("some.toml line 2"), std::string::npos) << found.error().line();
}

}  // namespace
}  // namespace pgtandem::cli
