// The BIO through which OpenSSL sees a TlsSession::Link instead of a socket.
#pragma once
#include <openssl/bio.h>

#include "io/tls_session.hpp"

namespace pgtandem::io {

BIO* make_link_bio(TlsSession::Link& link);

}  // namespace pgtandem::io
