#include "proxy/control_file.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace pgtandem::proxy {

namespace {

void append(std::string& bytes, std::uint32_t value) { bytes.append(reinterpret_cast<char const*>(&value), sizeof value); }

std::uint32_t crc32c(std::string_view bytes) {
    std::uint32_t crc = 0xffffffff;
    for (auto const byte : bytes) {
        crc ^= static_cast<unsigned char>(byte);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
    }
    return ~crc;
}

// As pg_control of this version, with something in the middle.
std::string control_file(std::uint32_t version, std::string const& nonce) {
    std::string bytes = "identity";
    append(bytes, version);
    bytes += std::string(240, 'm') + (version >= 1800 ? "\1" : "") + nonce + std::string(version >= 1800 ? 3 : 0, '\0');
    append(bytes, crc32c(bytes));
    return bytes + std::string(8192 - bytes.size(), '\0');
}

std::string const nonce = "0123456789abcdefghijklmnopqrstuv";

}  // namespace

TEST(ControlFile, the_checksum_is_that_of_postgresql) { EXPECT_EQ(crc32c("123456789"), 0xe3069283U); }

TEST(ControlFile, the_nonce_stands_before_the_checksum) {
    for (std::uint32_t const version : {1300, 1700, 1800}) EXPECT_EQ(mock_authentication_nonce(control_file(version, nonce)), nonce) << version;
}

TEST(ControlFile, nothing_is_made_of_a_file_that_is_not_whole) {
    auto torn = control_file(1300, nonce);
    torn[100] = 'x';
    EXPECT_FALSE(mock_authentication_nonce(torn));
    for (auto const* text : {"", "short", "identity1234"}) EXPECT_FALSE(mock_authentication_nonce(text));
}

}  // namespace pgtandem::proxy
