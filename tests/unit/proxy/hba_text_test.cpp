#include "proxy/hba_text.hpp"

#include <gtest/gtest.h>

#include <map>

namespace pgtandem::proxy {

namespace {

using Files = std::map<std::string, std::string>;

HbaText read(Files const& files, int major = 15) {
    HbaFiles const from{[&](std::string const& path) -> std::optional<std::string> {
                            auto const found = files.find(path);
                            return found == files.end() ? std::nullopt : std::optional(found->second);
                        },
                        [&](std::string const& folder) {
                            std::vector<std::string> names;
                            for (auto const& [path, text] : files) {
                                if (path.starts_with(folder + "/")) names.push_back(path.substr(folder.size() + 1));
                            }
                            return names;
                        }};
    return read_hba_text("/d/hba", major, from);
}

std::string shown(HbaField const& field) {
    std::string text;
    for (auto const& word : field) text += (text.empty() ? "" : ",") + (word.is_quoted ? "<" + word.text + ">" : word.text);
    return text;
}

// "2: host <all>,b c", a line for each record.
std::string shown(HbaText const& text) {
    std::string all;
    for (auto const& record : text.records) {
        all += (record.file == "/d/hba" ? "" : record.file + " ") + std::to_string(record.line) + ":";
        for (auto const& field : record.fields) all += " " + shown(field);
        all += "\n";
    }
    return all;
}

std::string of(std::string const& text, int major = 15) { return shown(read({{"/d/hba", text}}, major)); }

}  // namespace

TEST(HbaText, words_that_begin_with_a_quote) {
    EXPECT_EQ(of("# first\nhost \"all\",b, \"c d\"\t\"+e\",f\"g h\" 10.0.0.0/8 md5\n"),
              "2: host <all>,b,<c d> <+e>,fg h 10.0.0.0/8 md5\n");
}

TEST(HbaText, a_word_may_stand_with_and_without_quotes) {
    EXPECT_EQ(of("host \"all\",all \"all\" x"), "1: host <all>,all <all> x\n");
}

TEST(HbaText, quotes_and_commas_within_quotes) { EXPECT_EQ(of("host \"a\"\"b\",\"c,#d\" all"), "1: host <a\"b>,<c,#d> all\n"); }

TEST(HbaText, comments_and_lines_that_go_on) {
    EXPECT_EQ(of("host \"a\", \\\n  \"b\" # \"c\"\nhost \"d\""), "1: host <a>,<b>\n3: host <d>\n");
    EXPECT_EQ(of("host all#x\nhost a,#b"), "1: host all\n2: host a\n");
}

TEST(HbaText, lines_that_go_on_may_end_in_cr_lf) {
    EXPECT_EQ(of("host \\\r\n \"all\" \\\r\n x\r\nlocal a\r\n"), "1: host <all> x\n4: local a\n");
    // Two backslashes continue once, and a line without anything ends it.
    EXPECT_EQ(of("host a\\\\\n\nlocal b"), "1: host a\\\n3: local b\n");
    EXPECT_EQ(of("host a\\"), "1: host a\n");
    EXPECT_EQ(of("host a\\\nlocal b", 13), "1: host a\\\n2: local b\n");
}

TEST(HbaText, words_of_another_file) {
    auto const text = read({{"/d/hba", "host @x,c \"@x\" @sub/y @ z"}, {"/d/x", "\"all\" b # c\n@sub/y\n"}, {"/d/sub/y", "@z"}, {"/d/sub/z", "q"}});
    EXPECT_EQ(shown(text), "1: host <all>,b,q,c <@x> q @ z\n");
    EXPECT_EQ(text.paths, (std::set<std::string>{"/d/hba", "/d/x", "/d/sub/y", "/d/sub/z"}));
    // No words, no field.
    EXPECT_EQ(shown(read({{"/d/hba", "host @x all"}, {"/d/x", "# none"}})), "1: host all\n");
    // A file that names itself comes to an end.
    EXPECT_EQ(shown(read({{"/d/hba", "host @hba a"}})).substr(0, 8), "1: host ");
}

TEST(HbaText, lines_of_other_files) {
    Files const files{{"/d/hba", "local a\ninclude more/x\ninclude_dir more\ninclude_if_exists none\ninclude a b\nlocal z"},
                      {"/d/more/x", "host x\ninclude y.conf"},
                      {"/d/more/y.conf", "\nhost \"y\""},
                      {"/d/more/a.conf", "host first"},
                      {"/d/more/.z.conf", "host hidden"}};
    auto const text = read(files, 16);
    EXPECT_EQ(shown(text), "1: local a\n/d/more/x 1: host x\n/d/more/y.conf 2: host <y>\n/d/more/a.conf 1: host first\n"
                           "/d/more/y.conf 2: host <y>\n5: include a b\n6: local z\n");
    EXPECT_EQ(text.paths, (std::set<std::string>{"/d/hba", "/d/more/x", "/d/more/y.conf", "/d/more", "/d/more/a.conf", "/d/none"}));
    EXPECT_EQ(read(files, 15).paths.size(), 1U);
}

TEST(HbaText, what_is_not_there_is_no_word) {
    for (auto const* text : {"", "\n", ",", " # \"", "\r\n"}) EXPECT_EQ(of(text), "") << text;
    EXPECT_EQ(of("host ,"), "1: host\n");
    EXPECT_EQ(of("host \"a"), "1: host <a>\n");
    EXPECT_EQ(of("\"\""), "1: <>\n");
}

}  // namespace pgtandem::proxy
