// The stream as its owner holds it: destroying it leaves the connection to the loop.
#pragma once
#include "io/connection.hpp"
#include "io/stream.hpp"

namespace pgtandem::io {

class StreamHandle final : public Stream {
public:
    explicit StreamHandle(Connection& connection) : connection_(connection) { connection_.handle_is(this); }
    StreamHandle(StreamHandle const&) = delete;
    ~StreamHandle() override { connection_.abandon(); }

    std::string_view input() const override { return connection_.input(); }
    void consume(std::size_t count) override { connection_.consume(count); }
    void want_input(std::size_t bytes) override { connection_.want_input(bytes); }
    bool at_end() const override { return connection_.at_end(); }
    ByteBuffer& output() override { return connection_.output(); }
    void flush() override { connection_.flush(); }
    std::size_t unsent() const override { return connection_.unsent(); }
    void pause_reading() override { connection_.pause(true); }
    void resume_reading() override { connection_.pause(false); }
    Health health() const override { return connection_.health(); }
    std::string const& why_broken() const override { return connection_.why_broken(); }
    void start_tls_server(TlsContext const&, TlsStart) override { connection_.broke("TLS: not built"); }
    void start_tls_client(TlsContext const&, std::string const&) override { connection_.broke("TLS: not built"); }
    bool is_tls() const override { return false; }
    std::string tls_server_end_point() const override { return {}; }
    std::string tls_description() const override { return {}; }
    std::string tls_alpn() const override { return {}; }
    void set_owner(StreamOwner& owner) override { connection_.owner_is(owner); }
    int fd() const override { return connection_.fd(); }

private:
    Connection& connection_;
};

}  // namespace pgtandem::io
