#include "proxy/control_file.hpp"

#include <cstdint>
#include <cstring>

namespace pgtandem::proxy {

namespace {

constexpr std::size_t version_at = 8;  // after the system identifier
constexpr std::size_t nonce_size = 32;
constexpr std::size_t size_max = 512;  // PG_CONTROL_MAX_SAFE_SIZE
// From 18 on the nonce does not end where an integer may begin.
constexpr std::uint32_t first_version_with_gap = 1800;
constexpr std::size_t gap = 3;

std::uint32_t uint32_at(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

// CRC-32C (Castagnoli), one byte further.
std::uint32_t next_crc(std::uint32_t crc, char byte) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
    return crc;
}

}  // namespace

std::optional<std::string> mock_authentication_nonce(std::string_view pg_control) {
    auto const file = pg_control.substr(0, size_max);
    std::uint32_t crc = 0xffffffff;
    for (std::size_t at = 0; at + sizeof crc <= file.size(); ++at) {
        // The checksum is of all that stands before it, and the nonce is the last of that.
        if (at % alignof(std::uint32_t) == 0 && at > version_at + nonce_size + gap && uint32_at(file, at) == ~crc) {
            auto const behind = uint32_at(file, version_at) >= first_version_with_gap ? gap : 0;
            return std::string(file.substr(at - behind - nonce_size, nonce_size));
        }
        crc = next_crc(crc, file[at]);
    }
    return std::nullopt;
}

}  // namespace pgtandem::proxy
