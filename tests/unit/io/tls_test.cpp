// Streams that speak TLS with each other, over a loop.
#include "io/tls.hpp"

#include "certificate.hpp"
#include "loop_fixture.hpp"

namespace pgtandem::io {

class TlsTest : public LoopTest {
protected:
    void SetUp() override {
        LoopTest::SetUp();
        if (!loop) return;
        server_context = *TlsContext::server(certificate.certificate(), certificate.key());
        auto ends = socket_pair();
        server = loop->adopt(std::move(ends.ours), server_owner);
        client = loop->adopt(std::move(ends.theirs), client_owner);
    }
    void shake_hands(TlsContext const& client_context, std::string const& host = "db.example",
                     TlsStart how = TlsStart::after_request) {
        server->start_tls_server(*server_context, how);
        client->start_tls_client(client_context, host);
        run_until([&] { return is_done(*server) && is_done(*client); });
    }
    static bool is_done(Stream const& stream) {
        return stream.health() == Health::open || stream.health() == Health::broken;
    }
    std::shared_ptr<TlsContext const> trusting(TlsVerify verify, bool offers_alpn = false) {
        return *TlsContext::client(verify, certificate.certificate(), offers_alpn);
    }

    Certificate certificate;
    std::shared_ptr<TlsContext const> server_context;
    Owner server_owner{echo};
    Collector client_owner;
    std::unique_ptr<Stream> server;
    std::unique_ptr<Stream> client;
};
PGTANDEM_FOR_BOTH_LOOPS(TlsTest);

TEST_P(TlsTest, carries_bytes_and_says_what_was_agreed_on) {
    shake_hands(*trusting(TlsVerify::full));
    ASSERT_EQ(client->health(), Health::open) << client->why_broken();
    EXPECT_TRUE(server->is_tls());
    EXPECT_EQ(client->tls_description().substr(0, 8), "TLSv1.3 ");
    EXPECT_EQ(client->tls_alpn(), "");
    client->output().append("hello");
    client->flush();
    run_until([&] { return client_owner.text == "hello"; });
}

TEST_P(TlsTest, carries_what_was_flushed_during_the_handshake) {
    auto const context = trusting(TlsVerify::ca);
    server->start_tls_server(*server_context, TlsStart::after_request);
    client->start_tls_client(*context, "db.example");
    client->output().append("early");
    client->flush();
    run_until([&] { return client_owner.text == "early"; });
}

TEST_P(TlsTest, carries_large_amounts_both_ways) {
    shake_hands(*trusting(TlsVerify::full));
    std::string bytes(5 << 20, '\0');
    for (std::size_t at = 0; at < bytes.size(); ++at) bytes[at] = static_cast<char>(at * 31 >> 3);
    client->output().append(bytes);
    client->flush();
    run_until([&] { return client_owner.text.size() == bytes.size() || client->health() == Health::broken; });
    EXPECT_TRUE(client_owner.text == bytes);
}

TEST_P(TlsTest, both_ends_have_the_same_channel_binding) {
    shake_hands(*trusting(TlsVerify::full));
    EXPECT_EQ(client->tls_server_end_point(), certificate.digest());
    EXPECT_EQ(server->tls_server_end_point(), certificate.digest());
}

TEST_P(TlsTest, the_channel_binding_uses_the_certificates_stronger_hash) {
    Certificate const stronger(EVP_sha384());
    server_context = *TlsContext::server(stronger.certificate(), stronger.key());
    auto const context = *TlsContext::client(TlsVerify::none);
    shake_hands(*context);
    EXPECT_EQ(client->tls_server_end_point(), stronger.digest());
    EXPECT_EQ(client->tls_server_end_point().size(), 48U);
}

TEST_P(TlsTest, a_client_refuses_a_certificate_for_another_name) {
    shake_hands(*trusting(TlsVerify::full), "other.example");
    EXPECT_EQ(client->health(), Health::broken);
    EXPECT_EQ(client->why_broken(), "certificate verify failed: hostname mismatch");
}

TEST_P(TlsTest, a_client_that_verifies_the_authority_only_accepts_any_name) {
    shake_hands(*trusting(TlsVerify::ca), "other.example");
    EXPECT_EQ(client->health(), Health::open);
}

TEST_P(TlsTest, a_client_refuses_an_unknown_authority_and_the_server_learns_why) {
    Certificate const unknown;
    auto const context = *TlsContext::client(TlsVerify::ca, unknown.certificate());
    shake_hands(*context);
    EXPECT_EQ(client->health(), Health::broken);
    run_until([&] { return server->health() == Health::broken; });
    EXPECT_NE(server->why_broken().find("alert"), std::string::npos) << server->why_broken();
}

TEST_P(TlsTest, direct_tls_needs_the_protocols_name) {
    auto const context = trusting(TlsVerify::ca);
    shake_hands(*context, "db.example", TlsStart::direct);
    run_until([&] { return server->health() == Health::broken; });
    EXPECT_EQ(server->why_broken(),
              "received direct SSL connection request without ALPN protocol negotiation extension");
}

TEST_P(TlsTest, direct_tls_begins_with_what_has_come) {
    auto const context = trusting(TlsVerify::ca, true);
    Owner direct([&](Stream& stream) {
        stream.start_tls_server(*server_context, TlsStart::direct);
        stream.set_owner(server_owner);
    });
    server->set_owner(direct);
    client->start_tls_client(*context, "db.example");
    run_until([&] { return is_done(*client) && server_owner.events > 0; });
    EXPECT_EQ(server->health(), Health::open) << server->why_broken();
    EXPECT_EQ(server->tls_alpn(), "postgresql");
    EXPECT_EQ(client->tls_alpn(), "postgresql");
}

TEST_P(TlsTest, plain_bytes_after_the_request_break_the_server) {
    client->output().append("startup");
    client->flush();
    Owner keeps;
    server->set_owner(keeps);
    run_until([&] { return !server->input().empty(); });
    server->start_tls_server(*server_context, TlsStart::after_request);
    run_until([&] { return keeps.events == 2; });
    EXPECT_EQ(server->health(), Health::broken);
    EXPECT_EQ(server->why_broken(), "received unencrypted data after SSL request");
}

TEST_P(TlsTest, garbage_instead_of_a_handshake_breaks_the_stream) {
    server->start_tls_server(*server_context, TlsStart::after_request);
    client->output().append("this is no handshake");
    client->flush();
    run_until([&] { return server->health() == Health::broken; });
    EXPECT_FALSE(server->why_broken().empty());
}

TEST_P(TlsTest, an_end_within_the_handshake_breaks_the_stream) {
    server->start_tls_server(*server_context, TlsStart::after_request);
    client.reset();
    run_until([&] { return server->health() == Health::broken; });
    EXPECT_EQ(server->why_broken(), "the connection was closed during the TLS handshake");
}

TEST_P(TlsTest, the_end_comes_after_the_last_bytes) {
    shake_hands(*trusting(TlsVerify::ca));
    Collector last;
    server->set_owner(last);
    client->output().append("last");
    client->flush();
    client.reset();
    run_until([&] { return server->at_end(); });
    EXPECT_EQ(last.text, "last");
    EXPECT_EQ(server->health(), Health::open);
}

TEST(TlsContext, refuses_a_key_that_others_may_read) {
    Certificate const certificate;
    chmod(certificate.key().c_str(), 0644);
    auto const context = TlsContext::server(certificate.certificate(), certificate.key());
    ASSERT_FALSE(context);
    EXPECT_EQ(context.error().why, "others may read it");
}

TEST(TlsContext, refuses_what_is_no_certificate) {
    Certificate const certificate;
    EXPECT_FALSE(TlsContext::server(certificate.key(), certificate.key()));
    EXPECT_FALSE(TlsContext::client(TlsVerify::full, certificate.key()));
}

}  // namespace pgtandem::io
