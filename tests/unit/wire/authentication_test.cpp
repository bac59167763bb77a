#include "wire/authentication.hpp"

#include <gtest/gtest.h>

#include "broken.hpp"

namespace pgtandem::wire {
namespace {

using namespace std::string_view_literals;

TEST(authentication, mechanisms_are_read_whole_or_not_at_all) {
    auto const body = "\0\0\0\x0aSCRAM-SHA-256\0\0"sv;
    EXPECT_EQ(std::get<AuthenticationSasl>(*parse_authentication(body)).mechanisms.at(0), "SCRAM-SHA-256");
    for_each_truncation(body, [](auto const& broken) { EXPECT_FALSE(parse_authentication(broken)); });
}

TEST(authentication, a_response_whose_length_is_not_its_own_is_refused) {
    EXPECT_EQ(SaslInitialResponse::parse("M\0\0\0\0\2ab"sv)->data, "ab");
    EXPECT_FALSE(SaslInitialResponse::parse("M\0\xff\xff\xff\xff"sv)->data);
    for (auto const body : {"M\0\0\0\0\3ab"sv, "M\0\0\0\0\1ab"sv, "M\0\x80\0\0\0ab"sv}) EXPECT_FALSE(SaslInitialResponse::parse(body));
}

}  // namespace
}  // namespace pgtandem::wire
