// What a client may send first ("Start-up" in the manual's protocol chapter), and the answer that names a lower protocol version.
// Everything here is read before anybody has logged in: limits first, then fields.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/byte_buffer.hpp"
#include "base/result.hpp"

namespace pgtandem::wire {

// As PostgreSQL's MAX_STARTUP_PACKET_LENGTH: what follows the length field.
inline constexpr std::size_t startup_packet_max = 10000;
inline constexpr std::size_t cancel_key_min = 4;
inline constexpr std::size_t cancel_key_max = 256;
inline constexpr std::uint16_t protocol_major = 3;
inline constexpr std::uint16_t protocol_minor_newest = 2;

// PostgreSQL's words; the first two it only logs, and closes.
inline constexpr std::string_view invalid_startup_length = "invalid length of startup packet";
inline constexpr std::string_view invalid_cancel_length = "invalid length of cancel request packet";
inline constexpr std::string_view invalid_cancel_key_length = "invalid length of cancel key in cancel request packet";
inline constexpr std::string_view invalid_startup_layout =
    "invalid startup packet layout: expected terminator as last byte";                                             // 08P01
inline constexpr std::string_view no_user_name = "no PostgreSQL user name specified in startup packet";           // 28000
std::string unsupported_protocol_text(std::uint16_t major, std::uint16_t minor);                                  // 0A000

struct SslRequest {};
struct GssEncRequest {};
struct CancelRequest {
    std::uint32_t process_id;
    std::string_view key;  // cancel_key_min to cancel_key_max bytes
};
// Of a major version other than 3 no parameters are read: what follows may be anything.
struct StartupMessage {
    std::uint16_t major = protocol_major;
    std::uint16_t minor = 0;
    std::vector<std::pair<std::string, std::string>> parameters{};

    // The last value given, as PostgreSQL reads it; "" where there is none.
    std::string_view parameter(std::string_view name) const;
};

struct Incomplete {};
struct Malformed {
    std::string why;
    std::string sqlstate{};  // empty: PostgreSQL closes without an answer
};
using FirstPacket = std::variant<Incomplete, Malformed, SslRequest, GssEncRequest, CancelRequest, StartupMessage>;

// 'consumed' is the packet's length, or 0 for Incomplete and Malformed. What lies behind an SslRequest or GssEncRequest
// came before encryption began: the caller refuses it.
FirstPacket parse_first_packet(std::string_view bytes, std::size_t& consumed);

void write_startup_message(ByteBuffer& out, StartupMessage const& message);
void write_ssl_request(ByteBuffer& out);
void write_gss_enc_request(ByteBuffer& out);
void write_cancel_request(ByteBuffer& out, std::uint32_t process_id, std::string_view key);
void write_negotiate_protocol_version(ByteBuffer& out, std::uint16_t newest_minor, std::span<std::string const> unrecognized);

// The startup parameter "options": settings in the order given. Understands -c name=value, -cname=value and --name=value, with a
// backslash before a blank; refuses every other switch in PostgreSQL's words, with the SQLSTATE.
using OptionSettings = std::vector<std::pair<std::string, std::string>>;
Result<OptionSettings> parse_options(std::string_view options);

}  // namespace pgtandem::wire
