#include "wire/startup.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/cursor.hpp"
#include "wire/writer.hpp"

namespace pgtandem::wire {

namespace {

constexpr std::uint32_t cancel_request_code = 80877102;
constexpr std::uint32_t ssl_request_code = 80877103;
constexpr std::uint32_t gss_enc_request_code = 80877104;

FirstPacket parse_cancel_request(std::string_view body) {
    if (body.size() < 4) return Malformed{std::string(invalid_cancel_length)};
    Cursor cursor(body);
    auto const process_id = cursor.uint32();
    auto const key = cursor.rest();
    if (key.size() < cancel_key_min || key.size() > cancel_key_max) return Malformed{std::string(invalid_cancel_key_length)};
    return CancelRequest{process_id, key};
}

FirstPacket parse_startup_message(std::uint32_t version, std::string_view body) {
    StartupMessage message{static_cast<std::uint16_t>(version >> 16), static_cast<std::uint16_t>(version)};
    if (message.major != protocol_major) return message;
    Cursor cursor(body);
    for (auto name = cursor.cstring(); !name.empty(); name = cursor.cstring()) {
        auto const value = cursor.cstring();
        message.parameters.emplace_back(name, value);
    }
    if (!cursor.complete()) return Malformed{std::string(invalid_startup_layout), "08P01"};
    return message;
}

FirstPacket parse_packet(std::uint32_t code, std::string_view body) {
    if (code == cancel_request_code) return parse_cancel_request(body);
    if (code != ssl_request_code && code != gss_enc_request_code) return parse_startup_message(code, body);
    if (!body.empty()) return Malformed{std::string(invalid_startup_length)};
    if (code == ssl_request_code) return SslRequest{};
    return GssEncRequest{};
}

void write_request(ByteBuffer& out, std::uint32_t code) {
    MessageWriter writer(out, '\0');
    writer.uint32(code);
    writer.finish();
}

}  // namespace

std::string unsupported_protocol_text(std::uint16_t major, std::uint16_t minor) {
    return fmt::format("unsupported frontend protocol {}.{}: server supports {}.0 to {}.{}", major, minor, protocol_major,
                       protocol_major, protocol_minor_newest);
}

std::string_view StartupMessage::parameter(std::string_view name) const {
    auto const last = std::find_if(parameters.rbegin(), parameters.rend(), [&](auto const& one) { return one.first == name; });
    return last == parameters.rend() ? std::string_view() : last->second;
}

FirstPacket parse_first_packet(std::string_view bytes, std::size_t& consumed) {
    consumed = 0;
    if (bytes.size() < 4) return Incomplete{};
    auto const length = load_uint32(bytes.data());
    if (length < 8 || length > startup_packet_max + 4) return Malformed{std::string(invalid_startup_length)};
    if (bytes.size() < length) return Incomplete{};
    auto packet = parse_packet(load_uint32(bytes.data() + 4), bytes.substr(8, length - 8));
    if (!std::holds_alternative<Malformed>(packet)) consumed = length;
    return packet;
}

void write_startup_message(ByteBuffer& out, StartupMessage const& message) {
    MessageWriter writer(out, '\0');
    writer.uint32(std::uint32_t{message.major} << 16 | message.minor);
    for (auto const& [name, value] : message.parameters) {
        writer.cstring(name);
        writer.cstring(value);
    }
    writer.byte('\0');
    writer.finish();
}

void write_ssl_request(ByteBuffer& out) { write_request(out, ssl_request_code); }

void write_gss_enc_request(ByteBuffer& out) { write_request(out, gss_enc_request_code); }

void write_cancel_request(ByteBuffer& out, std::uint32_t process_id, std::string_view key) {
    MessageWriter writer(out, '\0');
    writer.uint32(cancel_request_code);
    writer.uint32(process_id);
    writer.bytes(key);
    writer.finish();
}

// The manual says "minor version"; server and libpq both mean the whole number, major in the upper half.
void write_negotiate_protocol_version(ByteBuffer& out, std::uint16_t newest_minor, std::span<std::string const> unrecognized) {
    MessageWriter writer(out, 'v');
    writer.uint32(std::uint32_t{protocol_major} << 16 | newest_minor);
    writer.int32(static_cast<std::int32_t>(unrecognized.size()));
    for (auto const& name : unrecognized) writer.cstring(name);
    writer.finish();
}

}  // namespace pgtandem::wire
