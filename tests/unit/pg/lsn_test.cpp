#include "pg/lsn.hpp"

#include <gtest/gtest.h>

namespace pgtandem {

TEST(Lsn, is_printed_and_read_as_pg_lsn_is) {
    struct Case {
        std::uint64_t value;
        std::string_view text;
    };
    for (auto const& [value, text] : {Case{0, "0/0"},
                                      {0x16'B374D848, "16/B374D848"},
                                      {0x1'00000000, "1/0"},
                                      {0xFFFFFFFF'FFFFFFFF, "FFFFFFFF/FFFFFFFF"}}) {
        EXPECT_EQ(to_string(Lsn(value)), text);
        EXPECT_EQ(parse_lsn(text), Lsn(value)) << text;
    }
    EXPECT_EQ(parse_lsn("a/b0"), Lsn(0xA'000000B0));
}

TEST(Lsn, refuses_what_is_none) {
    for (auto const* text : {"", "/", "0", "0/", "/0", "0/0/0", "g/0", "0/0x1", " 0/0", "0/0 ", "-1/0", "+1/0",
                             "100000000/0", "0/100000000"}) {
        EXPECT_FALSE(parse_lsn(text)) << text;
        EXPECT_EQ(lsn_or_zero(text), Lsn(0));
    }
}

TEST(Lsn, is_ordered_as_the_wal_is) {
    EXPECT_LT(parse_lsn("0/FFFFFFFF"), parse_lsn("1/0"));
    EXPECT_LT(parse_lsn("9/0"), parse_lsn("A/0"));
}

}  // namespace pgtandem
