// ScramClient: logging in to a server whose messages are not trusted before verify() has said so.
#include <charconv>

#include "wire/base64.hpp"
#include "wire/scram.hpp"
#include "wire/scram_crypto.hpp"
#include "wire/scram_text.hpp"

namespace pgtandem::wire {

namespace {

struct ServerFirst {
    std::string_view nonce;
    std::string salt;
    int iterations = 0;
};

Result<ServerFirst> read_server_first(std::string_view rest) {
    ServerFirst read;
    PGTANDEM_TRY(nonce, read_attribute(rest, 'r'));
    PGTANDEM_TRY(salt_text, read_attribute(rest, 's'));
    PGTANDEM_TRY(iterations, read_attribute(rest, 'i'));
    auto salt = base64_decode(salt_text);
    if (!salt || salt->empty()) return malformed_scram("Invalid salt.");
    auto const [end, error] = std::from_chars(iterations.data(), iterations.data() + iterations.size(), read.iterations);
    bool const is_number = error == std::errc() && end == iterations.data() + iterations.size();
    if (!is_number || read.iterations < 1 || read.iterations > scram_iterations_max) {
        return malformed_scram("Invalid iteration count.");
    }
    if (!rest.empty()) return malformed_scram("Garbage at the end of server-first-message.");
    read.nonce = nonce;
    read.salt = std::move(*salt);
    return read;
}

}  // namespace

ScramClient::ScramClient(Secret secret, std::string channel_binding, bool is_plus, std::string nonce)
    : secret_(std::move(secret)), channel_binding_(std::move(channel_binding)), is_plus_(is_plus), nonce_(std::move(nonce)) {}

// 'y' tells a server that offered no channel binding that we could: it notices if somebody took its offer away.
std::string ScramClient::gs2_header() const {
    if (is_plus_) return "p=tls-server-end-point,,";
    return channel_binding_.empty() ? "n,," : "y,,";
}

std::string ScramClient::first_bare() const { return "n=,r=" + nonce_; }

std::string ScramClient::first() const { return gs2_header() + first_bare(); }

Result<std::string> ScramClient::final(std::string_view server_first) {
    PGTANDEM_TRY(read, read_server_first(server_first));
    if (!read.nonce.starts_with(nonce_) || read.nonce.size() == nonce_.size()) {
        return scram_error("invalid SCRAM response", "Nonce does not match.");
    }
    auto const* const password = std::get_if<Password>(&secret_);
    auto const keys = password != nullptr ? derive_keys(password->text, read.salt, read.iterations) : std::get<ScramKeys>(secret_);
    auto const binding = base64_encode(gs2_header() + (is_plus_ ? channel_binding_ : ""));
    auto const without_proof = "c=" + binding + ",r=" + std::string(read.nonce);
    auto const auth_message = first_bare() + "," + std::string(server_first) + "," + without_proof;
    server_signature_ = hmac_sha256(keys.server_key, auth_message);
    auto const proof = exclusive_or(keys.client_key, hmac_sha256(sha256(keys.client_key), auth_message));
    return without_proof + ",p=" + base64_encode(proof);
}

Status ScramClient::verify(std::string_view server_final) const {
    auto rest = server_final;
    if (rest.starts_with('e')) return scram_error("the server refused the login", std::string(rest.substr(0, 100)), "28P01");
    PGTANDEM_TRY(text, read_attribute(rest, 'v'));
    auto const signature = base64_decode(text);
    if (!signature || !rest.empty()) return malformed_scram("Malformed server-final-message.");
    if (server_signature_.empty() || !are_equal_secrets(*signature, server_signature_)) {
        return scram_error("the server did not prove that it knows the password's verifier", "", "28000");
    }
    return {};
}

}  // namespace pgtandem::wire
