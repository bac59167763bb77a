#include <gtest/gtest.h>

#include "broken.hpp"
#include "wire/scram.hpp"

namespace pgtandem::wire {
namespace {

std::string const server_first = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

ScramClient client() { return {ScramClient::Password{"pencil"}, "", false, "rOprNGfwEbeRWgbNEkqO"}; }

TEST(scram_client, refuses_what_is_not_an_answer_to_its_nonce) {
    EXPECT_TRUE(client().final(server_first));
    EXPECT_EQ(client().final("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096").error().why, "Nonce does not match.");
    EXPECT_EQ(client().final("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1").error().why, "Nonce does not match.");
}

TEST(scram_client, refuses_iterations_that_cannot_be_meant) {
    for (auto const* count : {"", "0", "-1", "x", "1x", "10000001", "99999999999"}) {
        EXPECT_EQ(client().final(std::string("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=") + count).error().why,
                  "Invalid iteration count.") << count;
    }
}

TEST(scram_client, believes_no_server_that_has_proved_nothing) {
    EXPECT_FALSE(client().verify("v="));
    EXPECT_FALSE(client().verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    auto one = client();
    ASSERT_TRUE(one.final(server_first));
    EXPECT_FALSE(one.verify(""));
    EXPECT_FALSE(one.verify("e=other-error"));
    EXPECT_FALSE(one.verify("v="));
}

}  // namespace
}  // namespace pgtandem::wire
