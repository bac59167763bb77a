#include "sql/lexer.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace pgtandem::sql {
namespace {

std::vector<std::string> tokens(std::string_view text, bool standard_conforming_strings = true) {
    std::vector<std::string> found;
    Lexer lexer(text, standard_conforming_strings);
    for (;;) {
        auto const token = lexer.next();
        if (token.kind == Token::Kind::end) return found;
        found.push_back(token.kind == Token::Kind::broken ? "BROKEN" : std::string(token.text));
        if (token.kind == Token::Kind::broken) return found;
    }
}

using Texts = std::vector<std::string>;

TEST(lexer, takes_tokens_as_postgresql_does) {
    EXPECT_EQ(tokens("a$1 $1 \xc3\xa4_b"), (Texts{"a$1", "$1", "\xc3\xa4_b"}));
    EXPECT_EQ(tokens("'a''b' E'a\\'b' n'x' B'01' U&'x' U&\"y\""),
              (Texts{"'a''b'", "E'a\\'b'", "n'x'", "B'01'", "U&'x'", "U&\"y\""}));
    EXPECT_EQ(tokens("'a' -- c\n 'b' 'c'"), (Texts{"'a' -- c\n 'b'", "'c'"}));
    EXPECT_EQ(tokens("'a' /* \n */ 'b'"), (Texts{"'a'", "'b'"}));
    EXPECT_EQ(tokens("$$a$b$$ $t$ $$ $t$ $t"), (Texts{"$$a$b$$", "$t$ $$ $t$", "$", "t"}));
    EXPECT_EQ(tokens("1.5e-3 .5 1..2 0x1F 1_000 1e x"),
              (Texts{"1.5e-3", ".5", "1", "..", "2", "0x1F", "1_000", "1", "e", "x"}));
    EXPECT_EQ(tokens("a+-b @- c =- -1 *-- x\n<>/* */="),
              (Texts{"a", "+", "-", "b", "@-", "c", "=", "-", "-", "1", "*", "<>", "="}));
    EXPECT_EQ(tokens("/* /* */ x */ a::b := \"c\"\"d\""), (Texts{"a", "::", "b", ":=", "\"c\"\"d\""}));
}

// Each would take as long as the whole text, if it were looked at again for each: nobody may make a text that takes for ever.
TEST(lexer, takes_a_long_row_of_signs_one_by_one) {
    EXPECT_EQ(tokens("<+-+ 1 @+-+ *+<+"), (Texts{"<", "+", "-", "+", "1", "@+-+", "*+<", "+"}));
    EXPECT_EQ(tokens(std::string(300'000, '+')).size(), 300'000U);
}

TEST(lexer, a_backslash_escapes_where_strings_are_not_standard) {
    EXPECT_EQ(tokens("'a\\' b'", false), (Texts{"'a\\' b'"}));
    EXPECT_EQ(tokens("'a\\' b '"), (Texts{"'a\\'", "b", "BROKEN"}));
    EXPECT_EQ(tokens("U&'x'", false), (Texts{"BROKEN"}));
}

TEST(lexer, says_broken_where_something_does_not_end) {
    for (auto const* const text : {"'", "\"a", "\"\"", "/* /* */", "$a$ $b$", "E'\\", "U&\"", "\x01"}) {
        EXPECT_EQ(tokens(text), Texts{"BROKEN"}) << text;
    }
}

TEST(lexer, names_are_folded_unquoted_and_cut) {
    auto const name = [](std::string_view text) { return identifier_text(Lexer(text, true).next()); };
    EXPECT_EQ(name("AbC_1"), "abc_1");
    EXPECT_EQ(name("\"A\"\"b\""), "A\"b");
    EXPECT_EQ(name(std::string(70, 'A')), std::string(63, 'a'));
    std::string cut_inside_a_letter(62, 'a');
    cut_inside_a_letter += "\xc3\xa4";
    EXPECT_EQ(name(cut_inside_a_letter), std::string(62, 'a'));
}

TEST(lexer, knows_the_encodings_it_cannot_read) {
    for (auto const* const encoding : {"SJIS", "shift_jis_2004", "Big5", "GBK", "windows-949", "gb18030", "JOHAB"}) {
        EXPECT_FALSE(is_safe_to_lex(encoding)) << encoding;
    }
    for (auto const* const encoding : {"UTF8", "latin1", "EUC_JP", "SQL_ASCII", "WIN1252"}) {
        EXPECT_TRUE(is_safe_to_lex(encoding)) << encoding;
    }
}

}  // namespace
}  // namespace pgtandem::sql
