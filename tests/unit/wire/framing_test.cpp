#include "wire/framing.hpp"

#include <gtest/gtest.h>

namespace pgtandem::wire {
namespace {

using namespace std::string_view_literals;

TEST(framing, waits_for_five_bytes) {
    EXPECT_FALSE(read_header("Q\0\0\0"sv));
    auto const header = read_header("Q\0\0\0\5x"sv);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->type, 'Q');
    EXPECT_EQ(header->body, 1U);
    EXPECT_EQ(header->total(), 6U);
}

TEST(framing, marks_lengths_that_cannot_be) {
    for (auto const bytes : {"Q\0\0\0\3"sv, "Q\0\0\0\0"sv, "Q\x40\0\0\1"sv, "Q\xff\xff\xff\xff"sv, "Q\x80\0\0\0"sv}) {
        EXPECT_EQ(read_header(bytes)->body, bad_length);
    }
}

TEST(framing, nothing_but_passwords_before_the_login_and_no_passwords_after) {
    for (int type = 0; type < 256; ++type) {
        EXPECT_EQ(frontend_body_max(static_cast<char>(type), false), type == 'p' ? 65531U : 0U);
    }
    EXPECT_EQ(frontend_body_max('p', true), 0U);
    EXPECT_EQ(frontend_body_max('Z', true), 0U);
    EXPECT_EQ(frontend_body_max('S', true), 9996U);
    EXPECT_EQ(frontend_body_max('Q', true), 0x3ffffffaU);
}

}  // namespace
}  // namespace pgtandem::wire
