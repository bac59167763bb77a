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
    void end_output() override { connection_.end_output(); }
    void pause_reading() override { connection_.pause(true); }
    void resume_reading() override { connection_.pause(false); }
    Health health() const override { return connection_.health(); }
    std::string const& why_broken() const override { return connection_.why_broken(); }
    void start_tls_server(TlsContext const& context, TlsStart how) override {
        connection_.start_tls_server(context, how);
    }
    void start_tls_client(TlsContext const& context, std::string const& host) override {
        connection_.start_tls_client(context, host);
    }
    bool is_tls() const override { return connection_.tls() != nullptr; }
    std::string tls_server_end_point() const override { return is_tls() ? connection_.tls()->server_end_point() : ""; }
    std::string tls_description() const override { return is_tls() ? connection_.tls()->description() : ""; }
    std::string tls_alpn() const override { return is_tls() ? connection_.tls()->alpn() : ""; }
    void set_owner(StreamOwner& owner) override { connection_.owner_is(owner); }
    int fd() const override { return connection_.fd(); }

private:
    Connection& connection_;
};

}  // namespace pgtandem::io
