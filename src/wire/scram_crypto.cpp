#include "wire/scram_crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stringprep.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace pgtandem::wire {

namespace {

unsigned char const* bytes_of(std::string_view text) { return reinterpret_cast<unsigned char const*>(text.data()); }

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void require(bool done) {
    if (!done) throw std::runtime_error("OpenSSL cannot compute SHA-256");
}

std::string prepared(std::string_view password) {
    std::string const text(password);
    bool const is_ascii = std::all_of(text.begin(), text.end(), [](char one) { return static_cast<unsigned char>(one) < 128; });
    if (is_ascii) return text;
    char* out = nullptr;
    auto const result = stringprep_profile(text.c_str(), &out, "SASLprep", STRINGPREP_NO_UNASSIGNED);
    std::unique_ptr<char, decltype(&std::free)> const owner(out, &std::free);
    return result == STRINGPREP_OK && *out != '\0' ? out : text;
}

}  // namespace

std::string sha256(std::string_view text) {
    std::string digest(scram_key_size, '\0');
    require(EVP_Digest(text.data(), text.size(), bytes_of(digest), nullptr, EVP_sha256(), nullptr) == 1);
    return digest;
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
    std::string code(scram_key_size, '\0');
    require(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(), bytes_of(code), nullptr) !=
            nullptr);
    return code;
}

std::string salted_password(std::string_view password, std::string_view salt, int iterations) {
    auto const text = prepared(password);
    std::string key(scram_key_size, '\0');
    require(PKCS5_PBKDF2_HMAC(text.data(), static_cast<int>(text.size()), bytes_of(salt), static_cast<int>(salt.size()),
                              iterations, EVP_sha256(), static_cast<int>(key.size()), bytes_of(key)) == 1);
    return key;
}

std::string exclusive_or(std::string_view left, std::string_view right) {
    std::string result(std::min(left.size(), right.size()), '\0');
    for (std::size_t at = 0; at < result.size(); ++at) result[at] = static_cast<char>(left[at] ^ right[at]);
    return result;
}

bool are_equal_secrets(std::string_view left, std::string_view right) {
    return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace pgtandem::wire
