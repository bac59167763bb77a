#include "wire/authentication.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <stdexcept>

#include "wire/cursor.hpp"
#include "wire/writer.hpp"

namespace pgtandem::wire {

namespace {

enum : std::uint32_t { ok = 0, cleartext_password = 3, md5_password = 5, sasl = 10, sasl_continue = 11, sasl_final = 12 };

std::vector<std::string_view> read_mechanisms(Cursor& cursor) {
    std::vector<std::string_view> mechanisms;
    for (auto name = cursor.cstring(); !name.empty(); name = cursor.cstring()) mechanisms.push_back(name);
    return mechanisms;
}

Authentication read_authentication(Cursor& cursor) {
    auto const code = cursor.uint32();
    switch (code) {
        case ok: return AuthenticationOk{};
        case cleartext_password: return AuthenticationCleartextPassword{};
        case md5_password: return AuthenticationMd5Password{cursor.bytes(4)};
        case sasl: return AuthenticationSasl{read_mechanisms(cursor)};
        case sasl_continue: return AuthenticationSaslContinue{cursor.rest()};
        case sasl_final: return AuthenticationSaslFinal{cursor.rest()};
        default: cursor.rest(); return AuthenticationUnsupported{code};
    }
}

void write_authentication(ByteBuffer& out, std::uint32_t code, std::string_view data = {}) {
    MessageWriter writer(out, 'R');
    writer.uint32(code);
    writer.bytes(data);
    writer.finish();
}

}  // namespace

std::optional<Authentication> parse_authentication(std::string_view body) {
    Cursor cursor(body);
    auto authentication = read_authentication(cursor);
    if (!cursor.complete()) return std::nullopt;
    return authentication;
}

void write_authentication_ok(ByteBuffer& out) { write_authentication(out, ok); }

void write_authentication_cleartext_password(ByteBuffer& out) { write_authentication(out, cleartext_password); }

void write_authentication_md5_password(ByteBuffer& out, std::string_view salt) { write_authentication(out, md5_password, salt); }

void write_authentication_sasl(ByteBuffer& out, std::span<std::string_view const> mechanisms) {
    MessageWriter writer(out, 'R');
    writer.uint32(sasl);
    for (auto const mechanism : mechanisms) writer.cstring(mechanism);
    writer.byte('\0');
    writer.finish();
}

void write_authentication_sasl_continue(ByteBuffer& out, std::string_view data) { write_authentication(out, sasl_continue, data); }

void write_authentication_sasl_final(ByteBuffer& out, std::string_view data) { write_authentication(out, sasl_final, data); }

std::optional<PasswordMessage> PasswordMessage::parse(std::string_view body) {
    Cursor cursor(body);
    PasswordMessage const message{cursor.cstring()};
    return cursor.complete() ? std::optional(message) : std::nullopt;
}

void PasswordMessage::write(ByteBuffer& out) const {
    MessageWriter writer(out, 'p');
    writer.cstring(password);
    writer.finish();
}

std::optional<SaslInitialResponse> SaslInitialResponse::parse(std::string_view body) {
    Cursor cursor(body);
    SaslInitialResponse response{cursor.cstring(), std::nullopt};
    auto const length = cursor.int32();
    if (length != -1) response.data = cursor.bytes(static_cast<std::uint32_t>(length));
    if (!cursor.complete()) return std::nullopt;
    return response;
}

void SaslInitialResponse::write(ByteBuffer& out) const {
    MessageWriter writer(out, 'p');
    writer.cstring(mechanism);
    writer.int32(data ? static_cast<std::int32_t>(data->size()) : -1);
    if (data) writer.bytes(*data);
    writer.finish();
}

void SaslResponse::write(ByteBuffer& out) const {
    MessageWriter writer(out, 'p');
    writer.bytes(data);
    writer.finish();
}

std::string md5_response(std::string_view rolpassword, std::string_view salt) {
    std::string digest_of(rolpassword.substr(rolpassword.starts_with("md5") ? 3 : 0));
    digest_of += salt;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(digest_of.data(), digest_of.size(), digest.data(), &size, EVP_md5(), nullptr) != 1) throw std::runtime_error("OpenSSL refuses md5");
    std::string response = "md5";
    for (unsigned at = 0; at < size; ++at) response += fmt::format("{:02x}", digest[at]);
    return response;
}

}  // namespace pgtandem::wire
