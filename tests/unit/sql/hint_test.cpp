#include "sql/hint.hpp"

#include <gtest/gtest.h>

namespace pgtandem::sql {
namespace {

TEST(hint, is_read_from_comments_only) {
    EXPECT_EQ(read_hint("SELECT 1", true), std::nullopt);
    EXPECT_EQ(read_hint("/* pgtandem: primary */ SELECT 1", true), Hint::primary);
    EXPECT_EQ(read_hint("SELECT /*pgtandem:replica*/ 1", true), Hint::replica);
    EXPECT_EQ(read_hint("SELECT 1 -- pgtandem: route=replica", true), Hint::replica);
    EXPECT_EQ(read_hint("SELECT 1 /* app=a, pgtandem: route = primary, b */", true), Hint::primary);
    EXPECT_EQ(read_hint("SELECT '/* pgtandem: primary */'", true), std::nullopt);
    EXPECT_EQ(read_hint("SELECT \"/* pgtandem: primary */\", $a$/* pgtandem: primary */$a$", true), std::nullopt);
    EXPECT_EQ(read_hint("SELECT 'a' /* pgtandem: replica */, '/* pgtandem: primary */'", true), Hint::replica);
    EXPECT_EQ(read_hint("SELECT '\\' /* pgtandem: replica */ '", false), std::nullopt);
    EXPECT_EQ(read_hint("SELECT '\\' /* pgtandem: replica */ ", true), Hint::replica);
}

TEST(hint, other_words_are_none) {
    EXPECT_EQ(read_hint("/* pgtandem: primary_key */ SELECT 1", true), std::nullopt);
    EXPECT_EQ(read_hint("/* pgtandem primary */ SELECT 1", true), std::nullopt);
    EXPECT_EQ(read_hint("/* pgtandem: elsewhere; pgtandem: primary */ SELECT 1", true), Hint::primary);
    EXPECT_EQ(read_hint("SELECT pgtandem FROM a /* pgtandem:", true), std::nullopt);
}

}  // namespace
}  // namespace pgtandem::sql
