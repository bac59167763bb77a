// Where one message ends and the next begins: a type byte, then a length that counts itself ("Message Formats" in the manual).
// The length is checked here, once, before anybody waits for a body or makes room for it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pgtandem::wire {

inline constexpr std::size_t header_size = 5;
inline constexpr std::uint32_t bad_length = UINT32_MAX;
inline constexpr std::uint32_t length_max = 1U << 30;

// The limits of PostgreSQL's own server (libpq.h, auth.c, auth-sasl.h); they count the length field, our body limits do not.
inline constexpr std::uint32_t small_message_max = 10000;
inline constexpr std::uint32_t large_message_max = 0x3ffffffe;
inline constexpr std::uint32_t auth_message_max = 65535;
inline constexpr std::uint32_t sasl_message_max = 1024;

struct Header {
    char type;
    std::uint32_t body;  // bytes after the length field, or bad_length where that field is below 4 or above length_max

    std::size_t total() const { return header_size + body; }
};

// Big endian, from the first four bytes at 'bytes'.
inline std::uint32_t load_uint32(char const* bytes) {
    auto const byte = [bytes](int at) { return std::uint32_t{static_cast<unsigned char>(bytes[at])}; };
    return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
}

inline void store_uint32(char* place, std::uint32_t value) {
    place[0] = static_cast<char>(value >> 24);
    place[1] = static_cast<char>(value >> 16);
    place[2] = static_cast<char>(value >> 8);
    place[3] = static_cast<char>(value);
}

// Nothing where 'bytes' are too few to say.
inline std::optional<Header> read_header(std::string_view bytes) {
    if (bytes.size() < header_size) return std::nullopt;
    auto const length = load_uint32(bytes.data() + 1);
    return Header{bytes[0], length < 4 || length > length_max ? bad_length : length - 4};
}

// The largest body a frontend may send of this type; 0 for a type it may not send at all then.
inline std::uint32_t frontend_body_max(char type, bool logged_in) {
    if (!logged_in) return type == 'p' ? auth_message_max - 4 : 0;
    switch (type) {
        case 'Q':
        case 'P':
        case 'B':
        case 'd':
        case 'F': return large_message_max - 4;
        case 'C':
        case 'D':
        case 'E':
        case 'H':
        case 'S':
        case 'X':
        case 'c':
        case 'f': return small_message_max - 4;
        default: return 0;
    }
}

}  // namespace pgtandem::wire
