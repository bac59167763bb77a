// ScramServer: the checks and the words of PostgreSQL's auth-scram.c.
#include <fmt/format.h>

#include <utility>

#include "wire/authentication.hpp"
#include "wire/base64.hpp"
#include "wire/framing.hpp"
#include "wire/scram.hpp"
#include "wire/scram_crypto.hpp"
#include "wire/scram_text.hpp"

namespace pgtandem::wire {

namespace {

Status check_size(std::string_view message) {
    if (message.empty()) return malformed_scram("The message is empty.");
    if (message.size() > sasl_message_max || message.find('\0') != std::string_view::npos) {
        return malformed_scram("Message length does not match input length.");
    }
    return {};
}

Status skip_comma(std::string_view& rest) {
    if (!rest.starts_with(',')) {
        return malformed_scram(fmt::format("Comma expected, but found character \"{}\".", shown_character(rest)));
    }
    rest.remove_prefix(1);
    return {};
}

// At most 30 characters, as PostgreSQL shows what a client wrote.
std::string shown_text(std::string_view text) {
    std::string shown(text.substr(0, 30));
    for (auto& one : shown) {
        if (one < 0x21 || one > 0x7e) one = '?';
    }
    return shown;
}

// client-first-message-bare; gives the client's nonce. The user name in it is ignored: the startup packet's counts.
Result<std::string_view> read_first_bare(std::string_view rest) {
    if (rest.starts_with('m')) return scram_error("client requires an unsupported SCRAM extension", "", "0A000");
    PGTANDEM_CHECK(read_attribute(rest, 'n'));
    PGTANDEM_TRY(nonce, read_attribute(rest, 'r'));
    if (!nonce.empty() && !is_scram_printable(nonce)) return scram_error("non-printable characters in SCRAM nonce");
    while (!rest.empty()) PGTANDEM_CHECK(read_any_attribute(rest));
    return nonce;
}

struct ClientFinal {
    std::string_view binding;
    std::string_view nonce;
    std::string_view without_proof;
    std::string proof;
};

Result<ClientFinal> read_client_final(std::string_view message) {
    auto rest = message;
    ClientFinal read;
    PGTANDEM_TRY(binding, read_attribute(rest, 'c'));
    PGTANDEM_TRY(nonce, read_attribute(rest, 'r'));
    read.binding = binding;
    read.nonce = nonce;
    while (true) {
        auto const before = message.size() - rest.size();
        PGTANDEM_TRY(attribute, read_any_attribute(rest));
        if (attribute.first != 'p') continue;
        auto proof = base64_decode(attribute.second);
        if (!proof || proof->size() != scram_key_size) return malformed_scram("Malformed proof in client-final-message.");
        if (!rest.empty()) return malformed_scram("Garbage found at the end of client-final-message.");
        read.without_proof = message.substr(0, before - 1);
        read.proof = std::move(*proof);
        return read;
    }
}

}  // namespace

ScramServer::ScramServer(ScramVerifier verifier, std::string channel_binding, std::string nonce)
    : verifier_(std::move(verifier)), channel_binding_(std::move(channel_binding)), nonce_(std::move(nonce)) {}

// gs2-cbind-flag and the comma behind it.
Status ScramServer::read_binding_flag(std::string_view& rest) {
    flag_ = rest[0];
    if (flag_ == 'p') {
        if (!is_plus_) {
            return malformed_scram(
                "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.");
        }
        PGTANDEM_TRY(type, read_attribute(rest, 'p'));
        if (type == "tls-server-end-point") return {};
        return scram_error(fmt::format("unsupported SCRAM channel-binding type \"{}\"", shown_text(type)));
    }
    if (flag_ != 'n' && flag_ != 'y') {
        return malformed_scram(fmt::format("Unexpected channel-binding flag \"{}\".", shown_character(rest)));
    }
    if (is_plus_) {
        return malformed_scram(
            "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.");
    }
    if (flag_ == 'y' && !channel_binding_.empty()) {
        return scram_error("SCRAM channel binding negotiation error",
                           "The client supports SCRAM channel binding but thinks the server does not.  "
                           "However, this server does support channel binding.",
                           "28000");
    }
    rest.remove_prefix(1);
    return skip_comma(rest);
}

Result<std::string> ScramServer::first(std::string_view mechanism, std::string_view client_first) {
    // What comes out of its turn ends the exchange: nothing that follows can complete it.
    if (std::exchange(state_, State::done) != State::start) return scram_error("invalid SCRAM exchange");
    is_plus_ = mechanism == scram_sha_256_plus && !channel_binding_.empty();
    if (!is_plus_ && mechanism != scram_sha_256) return scram_error(std::string(invalid_sasl_mechanism));
    PGTANDEM_CHECK(check_size(client_first));
    auto rest = client_first;
    PGTANDEM_CHECK(read_binding_flag(rest));
    if (rest.starts_with('a')) return scram_error("client uses authorization identity, but it is not supported", "", "0A000");
    if (!rest.starts_with(',')) {
        return malformed_scram(fmt::format("Unexpected attribute \"{}\" in client-first-message.", shown_character(rest)));
    }
    rest.remove_prefix(1);
    PGTANDEM_TRY(client_nonce, read_first_bare(rest));
    client_first_bare_ = rest;
    nonce_ = std::string(client_nonce) + nonce_;
    server_first_ = fmt::format("r={},s={},i={}", nonce_, base64_encode(verifier_.salt), verifier_.iterations);
    state_ = State::first_sent;
    return server_first_;
}

Status ScramServer::check_binding(std::string_view given) const {
    if (is_plus_) {
        if (given == base64_encode("p=tls-server-end-point,," + channel_binding_)) return {};
        return scram_error("SCRAM channel binding check failed", "", "28000");
    }
    if (given == base64_encode(std::string(1, flag_) + ",,")) return {};
    return scram_error("unexpected SCRAM channel-binding attribute in client-final-message");
}

Result<ScramOutcome> ScramServer::final(std::string_view client_final) {
    if (std::exchange(state_, State::done) != State::first_sent) return scram_error("invalid SCRAM exchange");
    PGTANDEM_CHECK(check_size(client_final));
    PGTANDEM_TRY(read, read_client_final(client_final));
    PGTANDEM_CHECK(check_binding(read.binding));
    if (!are_equal_secrets(read.nonce, nonce_)) return scram_error("invalid SCRAM response", "Nonce does not match.");
    auto const auth_message = client_first_bare_ + "," + server_first_ + "," + std::string(read.without_proof);
    auto client_key = exclusive_or(read.proof, hmac_sha256(verifier_.stored_key, auth_message));
    if (!are_equal_secrets(sha256(client_key), verifier_.stored_key)) return ScramOutcome{};
    return ScramOutcome{true, "v=" + base64_encode(hmac_sha256(verifier_.server_key, auth_message)), std::move(client_key)};
}

}  // namespace pgtandem::wire
