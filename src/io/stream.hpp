// One connected socket on a loop, with its bytes in both directions; plain or TLS. Used on the loop's thread only.
// An idle stream holds no buffer: what arrives lies in the loop's own memory until the owner's on_event() returns, and
// only what it did not consume is kept.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/byte_buffer.hpp"
#include "base/unique_fd.hpp"

namespace pgtandem::io {

class Loop;
class Stream;
class TlsContext;

class StreamOwner {
public:
    // Something is new: input, the end, an error, a finished connect or TLS handshake, or output has drained below
    // output_low. May destroy the stream. Several things that happen in one turn may come as one event.
    virtual void on_event(Stream& stream) = 0;

protected:
    ~StreamOwner() = default;
};

// Reading stops by itself while more than this is unconsumed (or than want_input() asked for), and goes on when it has
// been consumed.
inline constexpr std::size_t input_high = 64 << 10;
// A stream with more unsent than output_high is one to stop feeding; the owner is told when it has drained below
// output_low.
inline constexpr std::size_t output_high = 128 << 10;
inline constexpr std::size_t output_low = 32 << 10;

enum class TlsStart { after_request, direct };
enum class Health { connecting, handshaking, open, broken };

class Stream {
public:
    virtual ~Stream() = default;  // closes; what has not been sent is lost

    // What has come and has not been consumed. Valid until the next consume(), or the end of on_event().
    virtual std::string_view input() const = 0;
    virtual void consume(std::size_t count) = 0;
    // A message of this size is to be seen whole: reading goes on until so much is unconsumed. Holds until it has come.
    virtual void want_input(std::size_t bytes) = 0;
    // The peer has ended its side and input() is the rest.
    virtual bool at_end() const = 0;

    // To be appended to; sent at the end of the turn after flush(), in one piece.
    virtual ByteBuffer& output() = 0;
    virtual void flush() = 0;
    virtual std::size_t unsent() const = 0;
    // Nothing more will be appended: when all is sent, the peer sees the end of this side.
    virtual void end_output() = 0;

    // Back-pressure: no more input is taken from the socket until resumed.
    virtual void pause_reading() = 0;
    virtual void resume_reading() = 0;

    virtual Health health() const = 0;
    // Why it is broken: "connection refused", a TLS error's words ...
    virtual std::string const& why_broken() const = 0;

    // Turns TLS on from the next byte on. After a request for it, it is an error (broken at once) when input() is not
    // empty: nothing may lie in the buffer when TLS begins. Direct: input() is the handshake's beginning, and ALPN must
    // say "postgresql". on_event() comes when health() has gone from handshaking to open or broken.
    virtual void start_tls_server(TlsContext const& context, TlsStart how) = 0;
    // 'host' is checked against the certificate where the context verifies names.
    virtual void start_tls_client(TlsContext const& context, std::string const& host) = 0;
    virtual bool is_tls() const = 0;
    // The tls-server-end-point channel binding (RFC 5929): the hash of the server's certificate; empty without TLS.
    virtual std::string tls_server_end_point() const = 0;
    // "TLSv1.3 TLS_AES_256_GCM_SHA384", or empty.
    virtual std::string tls_description() const = 0;
    // The application protocol that was agreed on (ALPN), or empty.
    virtual std::string tls_alpn() const = 0;

    virtual void set_owner(StreamOwner& owner) = 0;
    virtual int fd() const = 0;
};

}  // namespace pgtandem::io
