#include "wire/scram_crypto.hpp"

#include <gtest/gtest.h>

#include "wire/base64.hpp"

namespace pgtandem::wire {
namespace {

// The exchange of RFC 7677, section 3.
TEST(scram_crypto, computes_the_proof_and_the_signature_of_rfc_7677) {
    std::string const auth_message =
        "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    auto const salted = salted_password("pencil", *base64_decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
    auto const client_key = hmac_sha256(salted, "Client Key");
    auto const proof = exclusive_or(client_key, hmac_sha256(sha256(client_key), auth_message));
    EXPECT_EQ(base64_encode(proof), "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    EXPECT_EQ(base64_encode(hmac_sha256(hmac_sha256(salted, "Server Key"), auth_message)),
              "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(scram_crypto, prepares_passwords_where_they_can_be) {
    auto const same = [](char const* left, char const* right) { return salted_password(left, "s", 1) == salted_password(right, "s", 1); };
    EXPECT_TRUE(same("I\xc2\xadX", "IX"));
    EXPECT_TRUE(same("\xe2\x85\xa8", "IX"));
    EXPECT_FALSE(same("\xff\xc2\xadX", "\xffX"));
}

TEST(scram_crypto, secrets_of_other_lengths_differ) {
    EXPECT_TRUE(are_equal_secrets("ab", "ab"));
    EXPECT_FALSE(are_equal_secrets("ab", "ac"));
    EXPECT_FALSE(are_equal_secrets("ab", "abc"));
    EXPECT_FALSE(are_equal_secrets("ab", ""));
}

}  // namespace
}  // namespace pgtandem::wire
