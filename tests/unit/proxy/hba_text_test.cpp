#include "proxy/hba_text.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {

using Words = std::set<std::string>;

TEST(HbaText, words_that_begin_with_a_quote) {
    auto const found = quoted_words("# first\nhost \"all\",b, \"c d\"\t\"+e\",f\"g h\" 10.0.0.0/8 md5\n", 2);
    EXPECT_EQ(found.databases, (Words{"all", "c d"}));
    EXPECT_EQ(found.users, (Words{"+e"}));
}

TEST(HbaText, a_word_that_also_stands_without_quotes_is_no_name) {
    EXPECT_EQ(quoted_words("host \"all\",all \"all\" x", 1).databases, Words{});
    EXPECT_EQ(quoted_words("host \"all\",all \"all\" x", 1).users, Words{"all"});
}

TEST(HbaText, quotes_and_commas_within_quotes) {
    EXPECT_EQ(quoted_words("host \"a\"\"b\",\"c,#d\" all", 1).databases, (Words{"a\"b", "c,#d"}));
}

TEST(HbaText, comments_and_lines_that_go_on) {
    auto const found = quoted_words("host \"a\", \\\n  \"b\" # \"c\"\nhost \"d\"", 1);
    EXPECT_EQ(found.databases, (Words{"a", "b"}));
    EXPECT_EQ(found.users, Words{});
}

TEST(HbaText, what_is_not_there_has_no_quotes) {
    for (auto const* file : {"", "\"", "host", "host ,", "host \"a"}) {
        for (int const number : {1, 2, 100}) EXPECT_EQ(quoted_words(file, number).users, Words{}) << file;
    }
}

}  // namespace pgtandem::proxy
