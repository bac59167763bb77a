// One connection's TLS: bytes of the socket in, bytes of the owner out, and the reverse. It never sees the socket.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/byte_buffer.hpp"
#include "io/tls.hpp"

struct ssl_st;
struct x509_st;

namespace pgtandem::io {

enum class TlsRole { server, client };
enum class TlsState { handshaking, open, ended, failed };

class TlsSession {
public:
    // As a client: the server's name, which is sent along and checked where the context verifies names.
    // As a server: whether the client must agree on the protocol "postgresql".
    TlsSession(TlsContext const& context, TlsRole role, std::string const& host, bool needs_alpn);
    ~TlsSession();

    // Takes what has come from the socket, all of it: appends what it says to 'plain', and to 'socket' what is to be
    // answered. A client begins with nothing received.
    TlsState receive(std::string_view bytes, ByteBuffer& plain, ByteBuffer& socket);
    void send(std::string_view plain, ByteBuffer& socket);
    // Says that nothing follows.
    void close(ByteBuffer& socket);

    std::string const& error() const { return error_; }
    std::string server_end_point() const;
    std::string description() const;
    std::string alpn() const;

    // What OpenSSL reads from and writes to during a call.
    struct Link {
        std::string_view received;
        ByteBuffer* socket = nullptr;
    };

private:
    TlsState shake_hands();
    TlsState read(ByteBuffer& plain);
    TlsState failed(int returned);
    void expect_host(std::string const& host, bool verifies);

    struct Free {
        void operator()(ssl_st* ssl) const;
    };
    std::unique_ptr<ssl_st, Free> ssl_;
    Link link_;
    TlsState state_ = TlsState::handshaking;
    bool needs_alpn_;
    std::string error_;
};

}  // namespace pgtandem::io
