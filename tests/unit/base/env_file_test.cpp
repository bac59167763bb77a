#include "base/env_file.hpp"

#include <gtest/gtest.h>

namespace pgtandem {

TEST(EnvFile, reads_the_forms_docker_compose_reads) {
    struct Case {
        std::string_view line, value;
    };
    for (auto const& [line, value] : {Case{"A=b", "b"},
                                      {"A=", ""},
                                      {"  A =  b  ", "b"},
                                      {"export A=b", "b"},
                                      {"A=b=c", "b=c"},
                                      {"A=p#1", "p#1"},
                                      {"A=b # comment", "b"},
                                      {"A='b \\n $c'", "b \\n $c"},
                                      {"A='b' # comment", "b"},
                                      {R"(A="b \"c\" \\ \n \$d")", "b \"c\" \\ \n $d"},
                                      {"A=\"b # no comment\"", "b # no comment"},
                                      {"A=b\r", "b"},
                                      {"# comment\n\nA=b\n", "b"},
                                      {"A=first\nA=b", "b"}}) {
        auto const read = parse_environment(line, "db.env");
        ASSERT_TRUE(read) << line;
        EXPECT_EQ(*read, (Environment{{"A", std::string(value)}})) << line;
    }
}

TEST(EnvFile, says_in_which_line_what_is_wrong) {
    struct Case {
        std::string_view text, on, why;
    };
    for (auto const& [text, on, why] : {Case{"A=b\nno value\n", "db.env line 2", "not of the form NAME=value"},
                                        {"1A=b", "db.env line 1", "not of the form NAME=value"},
                                        {"=b", "db.env line 1", "not of the form NAME=value"},
                                        {"A B=c", "db.env line 1", "not of the form NAME=value"},
                                        {"A='b", "db.env line 1", "a quote is not closed"},
                                        {"A=\"b\\\"", "db.env line 1", "a quote is not closed"},
                                        {"A='b' c", "db.env line 1", "there is text behind the closing quote"}}) {
        auto const read = parse_environment(text, "db.env");
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().on, on);
        EXPECT_EQ(read.error().why, why);
    }
}

TEST(EnvFile, reads_back_what_it_wrote) {
    for (auto const* value :
         {"", "plain", " both ends ", "it's", "\"", "a\\b", "$HOME", "a#b", "a #b", "two\nlines", "\t", "="}) {
        Environment const written{{"NAME", value}, {"OTHER", "x"}};
        auto const read = parse_environment(render_environment(written), "written");
        ASSERT_TRUE(read) << value;
        EXPECT_EQ(*read, written) << value;
    }
}

}  // namespace pgtandem
