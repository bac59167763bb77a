#include "wire/scram.hpp"

#include <gtest/gtest.h>

#include "wire/base64.hpp"

namespace pgtandem::wire {
namespace {

TEST(scram, a_verifier_is_read_as_pg_authid_keeps_it) {
    auto const made = make_verifier("pencil", "0123456789abcdef", 4096);
    auto const text =
        "SCRAM-SHA-256$4096:" + base64_encode(made.salt) + "$" + base64_encode(made.stored_key) + ":" + base64_encode(made.server_key);
    auto const read = ScramVerifier::parse(text);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->iterations, 4096);
    EXPECT_EQ(read->stored_key, made.stored_key);
    EXPECT_EQ(read->server_key, made.server_key);
    for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(ScramVerifier::parse(text.substr(0, size))) << size;
    EXPECT_FALSE(ScramVerifier::parse(text + "="));
    EXPECT_FALSE(ScramVerifier::parse("md5aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

TEST(scram, an_unknown_user_meets_the_same_salt_each_time) {
    EXPECT_EQ(mock_verifier("ann", "s").salt, mock_verifier("ann", "s").salt);
    EXPECT_NE(mock_verifier("ann", "s").salt, mock_verifier("bob", "s").salt);
    EXPECT_NE(mock_verifier("ann", "s").salt, mock_verifier("ann", "t").salt);
    EXPECT_EQ(mock_verifier("ann", "s").salt.size(), 16U);
}

}  // namespace
}  // namespace pgtandem::wire
