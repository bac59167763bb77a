#include "sql/json_scan.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgtandem::sql {
namespace {

struct Notes {
    std::string all;

    bool start_object() { return note("{"); }
    bool end_object() { return note("}"); }
    bool start_list() { return note("["); }
    bool key(std::string_view name) { return note("key " + std::string(name)); }
    bool text(std::string_view value) { return note("text " + std::string(value)); }
    bool number(std::int64_t value) { return note(std::to_string(value)); }
    bool flag(bool value) { return note(value ? "true" : "false"); }
    bool note(std::string const& what) {
        all += what + "|";
        return what != "text stop";
    }
};

std::string notes_of(std::string text) {
    Notes notes;
    bool const is_whole = JsonScan(text).run(notes);
    return notes.all + (is_whole ? "" : "broken");
}

TEST(json_scan, tells_the_parts_in_order) {
    EXPECT_EQ(notes_of(R"({"a":[{"b":-12},{}],"c":true, "d":false,"e":"f"})"),
              "{|key a|[|{|key b|-12|}|{|}|key c|true|key d|false|key e|text f|}|");
    EXPECT_EQ(notes_of(""), "");
    EXPECT_EQ(notes_of(R"(["stop","more"])"), "[|text stop|broken");
}

TEST(json_scan, unescapes_strings) {
    EXPECT_EQ(notes_of(R"("a\"b\\c\/\b\f\n\r\t\u003cd\u003E")"), "text a\"b\\c/\b\f\n\r\t<d>|");
    EXPECT_EQ(notes_of(R"("\u003c":"\"")"), "key <|text \"|");
}

TEST(json_scan, what_libpg_query_does_not_write_is_broken) {
    for (auto const* const text : {"\"a", "\"a\\", "\"\\x\"", "\"\\u00", "\"\\u00zz\"", "\"\\u00e4\"", "truth",
                                   "nothing", "-", "99999999999999999999"})
        EXPECT_EQ(notes_of(text), "broken") << text;
}

}  // namespace
}  // namespace pgtandem::sql
