// What a client sends first: nobody has logged in yet.
#include "support/fuzz.hpp"
#include "wire/startup.hpp"

using namespace pgtandem;

namespace {

void write(ByteBuffer&, wire::Incomplete const&) {}
void write(ByteBuffer&, wire::Malformed const&) {}
void write(ByteBuffer& out, wire::SslRequest const&) { wire::write_ssl_request(out); }
void write(ByteBuffer& out, wire::GssEncRequest const&) { wire::write_gss_enc_request(out); }
void write(ByteBuffer& out, wire::CancelRequest const& request) {
    wire::write_cancel_request(out, request.process_id, request.key);
}
// Of other major versions no parameters were read.
void write(ByteBuffer& out, wire::StartupMessage const& message) {
    if (message.major == wire::protocol_major) wire::write_startup_message(out, message);
}

}  // namespace

PGTANDEM_FUZZ_TARGET(first_packet) {
    std::size_t consumed = 0;
    auto const packet = wire::parse_first_packet(input, consumed);
    bool const is_whole = !std::holds_alternative<wire::Incomplete>(packet) && !std::holds_alternative<wire::Malformed>(packet);
    fuzz::require(is_whole == (consumed > 0) && consumed <= input.size());
    if (!is_whole) return;
    ByteBuffer written;
    std::visit([&](auto const& one) { write(written, one); }, packet);
    fuzz::require(written.empty() || written.view() == input.substr(0, consumed));
    std::size_t of_less = 0;
    auto const less = wire::parse_first_packet(input.substr(0, consumed - 1), of_less);
    fuzz::require(std::holds_alternative<wire::Incomplete>(less) && of_less == 0);
}
