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

TEST(hint, speaks_of_what_the_catalog_does_not_vouch_for) {
    auto const reason = [](Verdict const& verdict, std::string_view text) { return with_hint(verdict, read_hint(text, true)).reason; };
    Verdict const read{.may_read = true, .reason = Reason::read};
    EXPECT_EQ(reason(read, "SELECT 1"), Reason::read);
    EXPECT_EQ(reason(read, "/* pgtandem: replica */ SELECT 1"), Reason::read);
    EXPECT_EQ(reason(read, "/* pgtandem: primary */ SELECT 1"), Reason::hint_primary);
    EXPECT_FALSE(with_hint(read, read_hint("/* pgtandem: primary */ SELECT 1", true)).may_read);
    EXPECT_EQ(reason({.reason = Reason::volatile_function}, "/* pgtandem: replica */ SELECT f()"), Reason::hint_replica);
    EXPECT_TRUE(with_hint({.reason = Reason::volatile_function}, read_hint("/* pgtandem: replica */ SELECT f()", true)).may_read);
    EXPECT_EQ(reason({.reason = Reason::writes}, "/* pgtandem: replica */ DELETE FROM t"), Reason::writes);
}

}  // namespace
}  // namespace pgtandem::sql
