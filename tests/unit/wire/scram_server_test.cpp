#include <gtest/gtest.h>

#include "broken.hpp"
#include "wire/scram.hpp"
#include "wire/scram_crypto.hpp"

namespace pgtandem::wire {
namespace {

std::string const salt = "0123456789abcdef";

ScramServer server(std::string binding = "") { return {make_verifier("pencil", salt, 10), std::move(binding), "server"}; }

Error first_error(std::string_view message, std::string_view mechanism = scram_sha_256, std::string binding = "") {
    auto const result = server(std::move(binding)).first(mechanism, message);
    return result ? Error{"accepted", "", ""} : result.error();
}

// What the server makes of the client's two messages; 'change' sees the second first.
template <class Change>
Result<ScramOutcome> login(std::string const& password, std::string const& binding, bool is_plus, Change change) {
    ScramClient client(ScramClient::Password{password}, binding, is_plus, "client");
    auto one = server(is_plus ? binding : "");
    PGTANDEM_TRY(server_first, one.first(is_plus ? scram_sha_256_plus : scram_sha_256, client.first()));
    PGTANDEM_TRY(client_final, client.final(server_first));
    auto outcome = one.final(change(client_final));
    if (outcome && outcome->ok) PGTANDEM_CHECK(client.verify(outcome->server_final));
    return outcome;
}

auto const unchanged = [](std::string const& text) { return text; };

TEST(scram_server, hands_out_the_client_key_with_which_one_can_log_in) {
    auto const outcome = login("pencil", "", false, unchanged).value();
    ASSERT_TRUE(outcome.ok);
    auto const keys = derive_keys("pencil", salt, 10);
    EXPECT_EQ(outcome.client_key, keys.client_key);
    ScramClient client(keys, "", false, "other");
    auto one = server();
    auto const client_final = client.final(one.first(scram_sha_256, client.first()).value()).value();
    EXPECT_TRUE(client.verify(one.final(client_final).value().server_final));
}

TEST(scram_server, binds_the_channel) {
    EXPECT_TRUE(login("pencil", "hash", true, unchanged).value().ok);
    ScramClient client(ScramClient::Password{"pencil"}, "other", true, "client");
    auto one = server("hash");
    auto const client_final = client.final(one.first(scram_sha_256_plus, client.first()).value()).value();
    EXPECT_EQ(one.final(client_final).error().what, "SCRAM channel binding check failed");
}

TEST(scram_server, no_wrong_password_and_no_broken_proof_gets_in) {
    EXPECT_FALSE(login("pencils", "", false, unchanged).value().ok);
    auto const good = [] {
        std::string seen;
        login("pencil", "", false, [&](auto const& text) { return seen = text; }).value();
        return seen;
    }();
    auto const refused = [](std::string const& text) {
        auto const outcome = login("pencil", "", false, [&](auto const&) { return text; });
        EXPECT_FALSE(outcome && outcome->ok) << text;
    };
    for_each_truncation(good, refused);
    for_each_flip(good, refused);
    refused(good + "x");
    refused(good + ",x=1");
}

TEST(scram_server, no_proof_fits_an_unknown_user) {
    ScramServer one(mock_verifier("ann", "s"), "", "server");
    ScramClient client(ScramClient::Password{""}, "", false, "client");
    auto const client_final = client.final(one.first(scram_sha_256, client.first()).value()).value();
    EXPECT_FALSE(one.final(client_final).value().ok);
}

TEST(scram_server, a_step_out_of_its_turn_ends_the_exchange) {
    auto early = server();
    EXPECT_FALSE(early.final("c=biws,r=clientserver,p="));
    EXPECT_FALSE(early.first(scram_sha_256, "n,,n=,r=client"));

    ScramClient client(ScramClient::Password{"pencil"}, "", false, "client");
    auto twice = server();
    auto const client_final = client.final(twice.first(scram_sha_256, client.first()).value()).value();
    EXPECT_FALSE(twice.first(scram_sha_256, client.first()));
    EXPECT_FALSE(twice.final(client_final)) << "it would be right";
}

TEST(scram_server, says_what_is_wrong_as_postgresql_does) {
    EXPECT_EQ(first_error("").why, "The message is empty.");
    EXPECT_EQ(first_error(std::string("n,,n=,r=a\0b", 11)).why, "Message length does not match input length.");
    EXPECT_EQ(first_error("n").why, "Comma expected, but found character \"0x00\".");
    EXPECT_EQ(first_error("q,,").why, "Unexpected channel-binding flag \"'q'\".");
    EXPECT_EQ(first_error("n,a=x,").sqlstate, "0A000");
    EXPECT_EQ(first_error("n,b").why, "Unexpected attribute \"'b'\" in client-first-message.");
    EXPECT_EQ(first_error("n,,m=x").what, "client requires an unsupported SCRAM extension");
    EXPECT_EQ(first_error("n,,r=x").why, "Expected attribute \"n\" but found \"'r'\".");
    EXPECT_EQ(first_error("n,,n=,r=\x01").what, "non-printable characters in SCRAM nonce");
    EXPECT_EQ(first_error("n,,n=,r=x,1=2").why, "Attribute expected, but found invalid character \"'1'\".");
    EXPECT_EQ(first_error("n,,n=,r=x", "SCRAM-SHA-1").what, "client selected an invalid SASL authentication mechanism");
    EXPECT_EQ(first_error("n,,n=,r=x", scram_sha_256_plus).what, "client selected an invalid SASL authentication mechanism");
}

TEST(scram_server, notices_that_its_offer_of_channel_binding_was_hidden) {
    EXPECT_EQ(first_error("y,,n=,r=x", scram_sha_256, "hash").what, "SCRAM channel binding negotiation error");
    EXPECT_EQ(first_error("y,,n=,r=x").what, "accepted");
    EXPECT_EQ(first_error("n,,n=,r=x", scram_sha_256, "hash").what, "accepted");
    EXPECT_EQ(first_error("n,,n=,r=x", scram_sha_256_plus, "hash").what, "malformed SCRAM message");
    EXPECT_EQ(first_error("p=tls-unique,,n=,r=x", scram_sha_256_plus, "hash").what,
              "unsupported SCRAM channel-binding type \"tls-unique\"");
}

}  // namespace
}  // namespace pgtandem::wire
