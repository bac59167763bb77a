#include "io/tls_session.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <new>

#include "io/tls_link.hpp"

namespace pgtandem::io {

namespace {

// The largest piece of plain text a TLS record holds.
constexpr std::size_t record_bytes_max = 16 << 10;

bool is_numeric_address(std::string const& host) {
    in6_addr ignored;
    return inet_pton(AF_INET, host.c_str(), &ignored) == 1 || inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

std::string reason_of_error(SSL* ssl) {
    if (auto const verified = SSL_get_verify_result(ssl); verified != X509_V_OK)
        return std::string("certificate verify failed: ") + X509_verify_cert_error_string(verified);
    auto const* const reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason ? reason : "the connection was closed";
}

// RFC 5929, section 4.1: the hash of the certificate's signature, but SHA-256 for what is weaker.
EVP_MD const* end_point_hash(X509* certificate) {
    int hash = NID_undef;
    X509_get_signature_info(certificate, &hash, nullptr, nullptr, nullptr);
    if (hash == NID_md5 || hash == NID_sha1) hash = NID_sha256;
    return EVP_get_digestbynid(hash);
}

}  // namespace

void TlsSession::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TlsSession::TlsSession(TlsContext const& context, TlsRole role, std::string const& host, bool needs_alpn)
    : ssl_(SSL_new(context.native())), needs_alpn_(needs_alpn) {
    if (!ssl_) throw std::bad_alloc();
    auto* const bio = make_link_bio(link_);
    SSL_set_bio(ssl_.get(), bio, bio);
    if (role == TlsRole::server) {
        SSL_set_accept_state(ssl_.get());
    } else {
        SSL_set_connect_state(ssl_.get());
        expect_host(host, context.verifies_names());
    }
}

TlsSession::~TlsSession() = default;

void TlsSession::expect_host(std::string const& host, bool verifies) {
    auto const is_numeric = is_numeric_address(host);
    if (!is_numeric && !host.empty()) SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
    if (!verifies) return;
    auto* const parameters = SSL_get0_param(ssl_.get());
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    // An empty name would switch the check off.
    auto const is_set = is_numeric ? X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1
                                   : !host.empty() && SSL_set1_host(ssl_.get(), host.c_str()) == 1;
    if (is_set) return;
    state_ = TlsState::failed;
    error_ = "there is no host name to verify the server's certificate against";
}

TlsState TlsSession::receive(std::string_view bytes, ByteBuffer& plain, ByteBuffer& socket) {
    link_ = {bytes, &socket};
    ERR_clear_error();
    if (state_ == TlsState::handshaking) state_ = shake_hands();
    if (state_ == TlsState::open) state_ = read(plain);
    link_ = {};
    return state_;
}

TlsState TlsSession::shake_hands() {
    auto const returned = SSL_do_handshake(ssl_.get());
    if (returned != 1) return failed(returned);
    if (needs_alpn_ && alpn().empty()) {
        error_ = "received direct SSL connection request without ALPN protocol negotiation extension";
        return TlsState::failed;
    }
    return TlsState::open;
}

TlsState TlsSession::read(ByteBuffer& plain) {
    while (true) {
        std::size_t got = 0;
        auto* const place = plain.grow(record_bytes_max);
        auto const returned = SSL_read_ex(ssl_.get(), place, record_bytes_max, &got);
        plain.shrink(record_bytes_max - got);
        if (returned != 1) return failed(returned);
    }
}

// The state after a call that did not succeed; often it only lacks more bytes.
TlsState TlsSession::failed(int returned) {
    switch (SSL_get_error(ssl_.get(), returned)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE: return state_;
        case SSL_ERROR_ZERO_RETURN: return TlsState::ended;
        default: error_ = reason_of_error(ssl_.get()); return TlsState::failed;
    }
}

void TlsSession::send(std::string_view plain, ByteBuffer& socket) {
    if (plain.empty() || state_ == TlsState::failed) return;
    link_ = {{}, &socket};
    ERR_clear_error();
    std::size_t written = 0;
    // It writes all, to memory: it can only fail for want of memory or because of a failure that reading reports.
    if (SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &written) != 1) {
        error_ = reason_of_error(ssl_.get());
        state_ = TlsState::failed;
    }
    link_ = {};
}

void TlsSession::close(ByteBuffer& socket) {
    if (state_ != TlsState::open && state_ != TlsState::ended) return;
    link_ = {{}, &socket};
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    link_ = {};
}

std::string TlsSession::server_end_point() const {
    auto* const peer = SSL_is_server(ssl_.get()) ? nullptr : SSL_get1_peer_certificate(ssl_.get());
    std::unique_ptr<X509, decltype(&X509_free)> const owned(peer, X509_free);
    auto* const certificate = SSL_is_server(ssl_.get()) ? SSL_get_certificate(ssl_.get()) : peer;
    auto const* const hash = certificate ? end_point_hash(certificate) : nullptr;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (!hash || X509_digest(certificate, hash, digest, &length) != 1) return {};
    return {reinterpret_cast<char const*>(digest), length};
}

std::string TlsSession::description() const {
    return std::string(SSL_get_version(ssl_.get())) + " " + SSL_get_cipher_name(ssl_.get());
}

std::string TlsSession::alpn() const {
    unsigned char const* name = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &length);
    return {reinterpret_cast<char const*>(name), length};
}

}  // namespace pgtandem::io
