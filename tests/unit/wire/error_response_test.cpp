#include "wire/error_response.hpp"

#include <gtest/gtest.h>

#include "broken.hpp"

namespace pgtandem::wire {
namespace {

using namespace std::literals;

TEST(error_response, fields_go_out_in_the_order_of_postgresql) {
    ErrorFields fields;
    fields.severity = fields.severity_nonlocal = "ERROR";
    fields.sqlstate = "42601";
    fields.message = "m";
    fields.position = "3";
    fields.where = "w";
    fields.routine = "r";
    ByteBuffer out;
    write_error_response(out, fields);
    auto const body = "SERROR\0VERROR\0C42601\0Mm\0Ww\0P3\0Rr\0\0"sv;
    EXPECT_EQ(out.view().substr(5), body);
    EXPECT_EQ(ErrorFields::parse(body).position, "3");
}

TEST(error_response, missing_and_broken_fields_are_empty) {
    EXPECT_EQ(ErrorFields::parse("").sqlstate, "");
    EXPECT_EQ(ErrorFields::parse("Zunknown\0Mm\0\0"sv).message, "m");
    auto const whole = "SERROR\0C42601\0\0"sv;
    for_each_truncation(whole, [](auto const& body) { EXPECT_EQ(ErrorFields::parse(body).sqlstate, body.size() < 14 ? "" : "42601"); });
}

TEST(error_response, a_zero_byte_in_a_text_starts_no_new_field) {
    ErrorFields fields;
    fields.message = std::string("m\0Cevil", 7);
    ByteBuffer out;
    write_notice_response(out, fields);
    EXPECT_EQ(out.view().substr(5), "Mm\0\0"sv);
}

}  // namespace
}  // namespace pgtandem::wire
