// OpenSSL contexts for servers and clients, loaded from files as PostgreSQL's are.
#pragma once
#include <memory>
#include <string>

#include "base/files.hpp"
#include "base/result.hpp"

struct ssl_ctx_st;

namespace pgtandem::io {

enum class TlsVerify { none, ca, full };

class TlsContext {
public:
    // PEM files; the key must not be readable by others. Speaks TLS 1.2 and later, and ALPN "postgresql".
    // 'client_ca' not empty: asks clients for a certificate signed by it and refuses others.
    static Result<std::shared_ptr<TlsContext const>> server(Path const& certificate, Path const& key,
                                                            Path const& client_ca = {});
    // Without root certificates those of the system are trusted. 'offers_alpn': says "postgresql" in the handshake.
    static Result<std::shared_ptr<TlsContext const>> client(TlsVerify verify, Path const& root_certificates = {},
                                                            bool offers_alpn = false);
    TlsContext(TlsContext const&) = delete;
    ~TlsContext();

    ssl_ctx_st* native() const { return context_; }
    bool verifies_names() const { return verifies_names_; }

private:
    explicit TlsContext(ssl_ctx_st* context, bool verifies_names)
        : context_(context), verifies_names_(verifies_names) {}
    ssl_ctx_st* context_;
    bool verifies_names_;
};

}  // namespace pgtandem::io
