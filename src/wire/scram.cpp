#include "wire/scram.hpp"

#include <charconv>

#include "wire/base64.hpp"
#include "wire/scram_crypto.hpp"

namespace pgtandem::wire {

namespace {

// What stands before 'mark', which is taken away with it.
std::string_view take_until(std::string_view& rest, char mark) {
    auto const end = rest.find(mark);
    auto const taken = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return taken;
}

ScramKeys keys_of(std::string_view salted) { return {hmac_sha256(salted, "Client Key"), hmac_sha256(salted, "Server Key")}; }

}  // namespace

std::optional<ScramVerifier> ScramVerifier::parse(std::string_view rolpassword) {
    auto rest = rolpassword;
    if (take_until(rest, '$') != scram_sha_256) return std::nullopt;
    auto const iterations = take_until(rest, ':');
    auto const salt = base64_decode(take_until(rest, '$'));
    auto const stored_key = base64_decode(take_until(rest, ':'));
    auto const server_key = base64_decode(rest);
    ScramVerifier verifier;
    auto const [end, error] = std::from_chars(iterations.data(), iterations.data() + iterations.size(), verifier.iterations);
    if (error != std::errc() || end != iterations.data() + iterations.size() || verifier.iterations < 1) return std::nullopt;
    if (!salt || salt->empty() || !stored_key || !server_key) return std::nullopt;
    if (stored_key->size() != scram_key_size || server_key->size() != scram_key_size) return std::nullopt;
    verifier.salt = *salt;
    verifier.stored_key = *stored_key;
    verifier.server_key = *server_key;
    return verifier;
}

ScramVerifier mock_verifier(std::string_view user, std::string_view secret, int iterations) {
    constexpr std::size_t salt_size = 16;
    auto salt = sha256(std::string(user) + std::string(secret)).substr(0, salt_size);
    return {iterations, std::move(salt), std::string(scram_key_size, '\0'), std::string(scram_key_size, '\0')};
}

ScramKeys derive_keys(std::string_view password, std::string_view salt, int iterations) {
    return keys_of(salted_password(password, salt, iterations));
}

ScramVerifier make_verifier(std::string_view password, std::string salt, int iterations) {
    auto keys = derive_keys(password, salt, iterations);
    return {iterations, std::move(salt), sha256(keys.client_key), std::move(keys.server_key)};
}

}  // namespace pgtandem::wire
