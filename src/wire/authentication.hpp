// The Authentication messages of a server and a client's answers to them, all of type 'R' and 'p' ("Message Formats" in the manual).
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/byte_buffer.hpp"

namespace pgtandem::wire {

struct AuthenticationOk {};
struct AuthenticationCleartextPassword {};
struct AuthenticationMd5Password {
    std::string_view salt;  // 4 bytes
};
struct AuthenticationSasl {
    std::vector<std::string_view> mechanisms;
};
struct AuthenticationSaslContinue {
    std::string_view data;
};
struct AuthenticationSaslFinal {
    std::string_view data;
};
// GSSAPI, SSPI and whatever comes: nothing we can answer.
struct AuthenticationUnsupported {
    std::uint32_t code;
};
using Authentication =
    std::variant<AuthenticationOk, AuthenticationCleartextPassword, AuthenticationMd5Password, AuthenticationSasl,
                 AuthenticationSaslContinue, AuthenticationSaslFinal, AuthenticationUnsupported>;

// Nothing where the body is malformed.
std::optional<Authentication> parse_authentication(std::string_view body);

void write_authentication_ok(ByteBuffer& out);
void write_authentication_cleartext_password(ByteBuffer& out);
void write_authentication_md5_password(ByteBuffer& out, std::string_view salt);
void write_authentication_sasl(ByteBuffer& out, std::span<std::string_view const> mechanisms);
void write_authentication_sasl_continue(ByteBuffer& out, std::string_view data);
void write_authentication_sasl_final(ByteBuffer& out, std::string_view data);

// PostgreSQL's words for passwords it will not look at.
inline constexpr std::string_view invalid_password_size = "invalid password packet size";        // 08P01
inline constexpr std::string_view empty_password = "empty password returned by client";         // 28P01
inline constexpr std::string_view invalid_sasl_mechanism = "client selected an invalid SASL authentication mechanism";  // 08P01

struct PasswordMessage {
    std::string_view password;

    static std::optional<PasswordMessage> parse(std::string_view body);
    void write(ByteBuffer& out) const;
};

struct SaslInitialResponse {
    std::string_view mechanism;
    std::optional<std::string_view> data;  // nothing where the client begins without: length -1

    static std::optional<SaslInitialResponse> parse(std::string_view body);
    void write(ByteBuffer& out) const;
};

// The whole body is the mechanism's.
struct SaslResponse {
    std::string_view data;

    static SaslResponse parse(std::string_view body) { return {body}; }
    void write(ByteBuffer& out) const;
};

// The answer to AuthenticationMD5Password, from what pg_authid keeps ("md5" and 32 digits): "md5" + md5(the digits + salt).
std::string md5_response(std::string_view rolpassword, std::string_view salt);

}  // namespace pgtandem::wire
