// The functions RFC 5802 is written in, with SHA-256. A failure of OpenSSL itself throws: the machine is broken.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace pgtandem::wire {

inline constexpr std::size_t scram_key_size = 32;

std::string sha256(std::string_view text);
std::string hmac_sha256(std::string_view key, std::string_view text);
// Hi(): PBKDF2 of the password, which is prepared (SASLprep) first; one that cannot be is taken as it is, as PostgreSQL does.
std::string salted_password(std::string_view password, std::string_view salt, int iterations);
std::string exclusive_or(std::string_view left, std::string_view right);
// In a time that does not tell where they differ.
bool are_equal_secrets(std::string_view left, std::string_view right);

}  // namespace pgtandem::wire
