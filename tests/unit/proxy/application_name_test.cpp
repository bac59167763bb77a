#include "proxy/application_name.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {

TEST(ApplicationName, is_what_was_given_where_that_is_short_and_plain) {
    auto const name = application_name_at_login("psql ~1", "UTF8", "15.8 (Debian 15.8-1)");
    EXPECT_EQ(name.value, "psql ~1");
    EXPECT_FALSE(name.notice);
    EXPECT_FALSE(application_name_at_login(std::string(63, 'x'), "UTF8", "15.8").notice);
}

TEST(ApplicationName, has_other_letters_replaced_as_the_version_does) {
    EXPECT_EQ(application_name_at_login("a\tb\x7f", "UTF8", "15.8").value, "a?b?");
    EXPECT_EQ(application_name_at_login("\xc3\xa9", "UTF8", "15.8").value, "??");
    EXPECT_EQ(application_name_at_login("\xc3\xa9", "UTF8", "17.2").value, "\\xc3\\xa9");
}

TEST(ApplicationName, is_cut_between_letters_with_a_notice) {
    auto const plain = application_name_at_login(std::string(70, 'x'), "LATIN1", "15.8");
    EXPECT_EQ(plain.value, std::string(63, 'x'));
    ASSERT_TRUE(plain.notice);
    EXPECT_EQ(plain.notice->sqlstate, "42622");
    EXPECT_EQ(plain.notice->message,
              "identifier \"" + std::string(70, 'x') + "\" will be truncated to \"" + std::string(63, 'x') + "\"");
    std::string letters;
    for (int count = 0; count < 40; ++count) letters += "\xc3\xa9";
    EXPECT_EQ(application_name_at_login(letters, "UTF8", "15.8").value, std::string(62, '?'));
    EXPECT_EQ(application_name_at_login(letters, "LATIN1", "15.8").value, std::string(63, '?'));
}

TEST(ApplicationName, of_letters_that_are_none_is_cut_all_the_same) {
    for (char const letter : {'\xff', '\x80', '\xf0', '\xe0'}) {
        auto const name = application_name_at_login(std::string(64, letter), "UTF8", "15.8");
        EXPECT_LE(name.value.size(), 63U);
        EXPECT_GE(name.value.size(), 60U);
    }
}

}  // namespace pgtandem::proxy
