#include "io/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

namespace pgtandem::io {

namespace {

constexpr unsigned char alpn_postgresql[] = "\x0apostgresql";
constexpr unsigned alpn_length = sizeof alpn_postgresql - 1;

struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using OwnedContext = std::unique_ptr<SSL_CTX, FreeContext>;

std::string last_reason() {
    auto const* const reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason ? reason : "OpenSSL does not say why";
}

OwnedContext make_context(SSL_METHOD const* method) {
    OwnedContext context(SSL_CTX_new(method));
    if (!context) throw std::bad_alloc();
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context.get(), 0);
    ERR_clear_error();
    return context;
}

// As PostgreSQL 17: who offers protocols must offer ours.
int choose_protocol(SSL*, unsigned char const** chosen, unsigned char* length, unsigned char const* offered,
                    unsigned offered_length, void*) {
    unsigned char* name = nullptr;
    if (SSL_select_next_proto(&name, length, alpn_postgresql, alpn_length, offered, offered_length) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = name;
    return SSL_TLSEXT_ERR_OK;
}

// PostgreSQL's rule: 0600 or less; 0640 where it belongs to root.
Status check_key_is_private(Path const& key) {
    struct stat facts {};
    if (stat(key.c_str(), &facts) != 0) return fail_errno("loading the private key", key.string());
    auto const allowed = facts.st_uid == 0 ? 0740U : 0700U;
    if ((facts.st_mode & 0777U & ~allowed) != 0)
        return fail("loading the private key", key.string(), "others may read it", "chmod 600 " + key.string());
    return {};
}

Status trust(SSL_CTX* context, Path const& certificates) {
    if (SSL_CTX_load_verify_locations(context, certificates.c_str(), nullptr) != 1)
        return fail("loading the root certificates", certificates.string(), last_reason());
    return {};
}

}  // namespace

Result<std::shared_ptr<TlsContext const>> TlsContext::server(Path const& certificate, Path const& key,
                                                             Path const& client_ca) {
    auto context = make_context(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1)
        return fail("loading the certificate", certificate.string(), last_reason());
    PGTANDEM_CHECK(check_key_is_private(key));
    if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context.get()) != 1)
        return fail("loading the private key", key.string(), last_reason());
    if (!client_ca.empty()) {
        PGTANDEM_CHECK(trust(context.get(), client_ca));
        SSL_CTX_set_client_CA_list(context.get(), SSL_load_client_CA_file(client_ca.c_str()));
        SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
    return std::shared_ptr<TlsContext const>(new TlsContext(context.release(), false));
}

Result<std::shared_ptr<TlsContext const>> TlsContext::client(TlsVerify verify, Path const& root_certificates,
                                                             bool offers_alpn) {
    auto context = make_context(TLS_client_method());
    if (verify != TlsVerify::none) {
        if (root_certificates.empty())
            SSL_CTX_set_default_verify_paths(context.get());
        else
            PGTANDEM_CHECK(trust(context.get(), root_certificates));
        SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    }
    if (offers_alpn) SSL_CTX_set_alpn_protos(context.get(), alpn_postgresql, alpn_length);
    return std::shared_ptr<TlsContext const>(new TlsContext(context.release(), verify == TlsVerify::full));
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

}  // namespace pgtandem::io
