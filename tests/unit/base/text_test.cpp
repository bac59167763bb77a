#include "base/text.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace pgtandem {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

TEST(Text, bytes_of_hexadecimal_digits) {
    EXPECT_EQ(from_hex("00ff4a"), std::string("\x00\xff" "J", 3));
    EXPECT_EQ(from_hex(""), "");
    EXPECT_EQ(from_hex("4"), "");
    EXPECT_EQ(from_hex("4x"), "");
    EXPECT_EQ(from_hex("+4"), "");
}

TEST(Trim, takes_blanks_from_both_ends_only) {
    struct Case {
        std::string_view text, trimmed;
    };
    for (auto const& [text, trimmed] : {Case{"", ""}, {" \t\r\n", ""}, {" a b\n", "a b"}, {"a", "a"}}) {
        EXPECT_EQ(trim(text), trimmed);
    }
}

TEST(Split, keeps_empty_parts) {
    EXPECT_EQ(split("", ','), Words{""});
    EXPECT_EQ(split("a,,b,", ','), (Words{"a", "", "b", ""}));
}

TEST(Split, of_lines_adds_none_behind_the_last_line_break) {
    EXPECT_EQ(split_lines(""), Words{});
    EXPECT_EQ(split_lines("a\n\nb\n"), (Words{"a", "", "b"}));
    EXPECT_EQ(split_lines("a\nb"), (Words{"a", "b"}));
}

TEST(Join, puts_the_separator_between) {
    EXPECT_EQ(join(Words{}, ", "), "");
    EXPECT_EQ(join(Words{"a"}, ", "), "a");
    EXPECT_EQ(join(Words{"a", "b"}, " or "), "a or b");
}

TEST(ReplaceAll, does_not_look_at_what_it_put_in) {
    EXPECT_EQ(replace_all("a'b''", "'", "''"), "a''b''''");
    EXPECT_EQ(replace_all("none", "x", "y"), "none");
}

TEST(ShellQuoted, leaves_plain_words_alone_and_quotes_the_rest) {
    struct Case {
        std::string_view text, word;
    };
    for (auto const& [text, word] : {Case{"/usr/bin/psql", "/usr/bin/psql"},
                                     {"", "''"},
                                     {"a b", "'a b'"},
                                     {"it's", "'it'\\''s'"},
                                     {"$(x)", "'$(x)'"}}) {
        EXPECT_EQ(shell_quoted(text), word);
    }
}

TEST(HumanBytes, counts_in_powers_of_1024) {
    struct Case {
        std::uint64_t bytes;
        std::string_view text;
    };
    for (auto const& [bytes, text] : {Case{0, "0 B"},
                                      {1023, "1023 B"},
                                      {1024, "1.0 kB"},
                                      {1536, "1.5 kB"},
                                      {150 << 10, "150 kB"},
                                      {16 << 20, "16.0 MB"},
                                      {std::uint64_t{12} << 30, "12.0 GB"},
                                      {std::numeric_limits<std::uint64_t>::max(), "16.0 EB"}}) {
        EXPECT_EQ(human_bytes(bytes), text);
    }
}

TEST(HumanDuration, takes_the_unit_that_reads_best) {
    struct Case {
        std::chrono::nanoseconds span;
        std::string_view text;
    };
    for (auto const& [span, text] : {Case{400us, "0.4 ms"},
                                     {35ms, "35 ms"},
                                     {1200ms, "1.2 s"},
                                     {200s, "3 min 20 s"},
                                     {5h + 3min, "5 h 3 min"},
                                     {52h, "2 d 4 h"}}) {
        EXPECT_EQ(human_duration(span), text);
    }
}

TEST(Nearest, finds_the_word_that_was_meant_or_none) {
    Words const known{"status", "verify", "replica", "psql"};
    struct Case {
        std::string_view word, meant;
    };
    for (auto const& [word, meant] :
         {Case{"sttus", "status"}, {"verfy", "verify"}, {"relpica", "replica"}, {"frobnicate", ""}, {"psq", "psql"}}) {
        EXPECT_EQ(nearest(word, known), meant) << word;
    }
    EXPECT_EQ(nearest("x", {}), "");
}

TEST(DidYouMean, is_a_question_or_nothing) {
    Words const known{"status"};
    EXPECT_EQ(did_you_mean("statu", known), "did you mean status?");
    EXPECT_EQ(did_you_mean("something else", known), "");
}

}  // namespace pgtandem
