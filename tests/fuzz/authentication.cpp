// The messages of a login: 'R' and a server's body, 'p' a password's, 'i' the first of SASL, 'm' what pg_authid keeps.
#include "wire/authentication.hpp"

#include "support/message.hpp"

using namespace pgtandem;

namespace {

void write(ByteBuffer& out, wire::AuthenticationOk const&) { wire::write_authentication_ok(out); }
void write(ByteBuffer& out, wire::AuthenticationCleartextPassword const&) {
    wire::write_authentication_cleartext_password(out);
}
void write(ByteBuffer& out, wire::AuthenticationMd5Password const& asked) {
    wire::write_authentication_md5_password(out, asked.salt);
}
void write(ByteBuffer& out, wire::AuthenticationSasl const& asked) {
    wire::write_authentication_sasl(out, asked.mechanisms);
}
void write(ByteBuffer& out, wire::AuthenticationSaslContinue const& sent) {
    wire::write_authentication_sasl_continue(out, sent.data);
}
void write(ByteBuffer& out, wire::AuthenticationSaslFinal const& sent) {
    wire::write_authentication_sasl_final(out, sent.data);
}
void write(ByteBuffer&, wire::AuthenticationUnsupported const&) {}

void read_authentication(std::string_view body) {
    auto const message = wire::parse_authentication(body);
    if (!message) return;
    ByteBuffer written;
    std::visit([&](auto const& one) { write(written, one); }, *message);
    if (!written.empty()) fuzz::require_message(written, 'R', body);
}

}  // namespace

PGTANDEM_FUZZ_TARGET(authentication) {
    if (input.empty()) return;
    auto const body = input.substr(1);
    switch (input[0]) {
        case 'R': return read_authentication(body);
        case 'p': return fuzz::require_writes_what_it_read(wire::PasswordMessage::parse(body), 'p', body);
        case 'i': return fuzz::require_writes_what_it_read(wire::SaslInitialResponse::parse(body), 'p', body);
        case 'm': return fuzz::require(wire::md5_response(body, "salt").size() == 35);
        default: return;
    }
}
