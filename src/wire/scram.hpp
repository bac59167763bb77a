// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, 7677, channel binding tls-server-end-point of RFC 5929), both sides, as PostgreSQL speaks them.
// Errors carry PostgreSQL's message in 'what', its detail in 'why', and the SQLSTATE; none of them holds a secret.
// Nonces are the caller's: printable, without a comma, from the system's random source (random_word(24)).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"

namespace pgtandem::wire {

inline constexpr std::string_view scram_sha_256 = "SCRAM-SHA-256";
inline constexpr std::string_view scram_sha_256_plus = "SCRAM-SHA-256-PLUS";
inline constexpr int scram_iterations_default = 4096;
// A server that asks for more is refused: each is work for us, before it has proved anything.
inline constexpr int scram_iterations_max = 10'000'000;

// What pg_authid.rolpassword keeps: SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey; the members are raw bytes.
struct ScramVerifier {
    int iterations = 0;
    std::string salt{};
    std::string stored_key{};
    std::string server_key{};

    static std::optional<ScramVerifier> parse(std::string_view rolpassword);
};

// For a user that is unknown or has no password: the same salt each time, and no proof that fits.
ScramVerifier mock_verifier(std::string_view user, std::string_view secret, int iterations = scram_iterations_default);

// Enough to log in without the password, against the salt and iterations they were derived with.
struct ScramKeys {
    std::string client_key{};
    std::string server_key{};
};
ScramKeys derive_keys(std::string_view password, std::string_view salt, int iterations);
ScramVerifier make_verifier(std::string_view password, std::string salt, int iterations);

struct ScramOutcome {
    bool ok = false;  // if not: PostgreSQL's "password authentication failed for user"
    std::string server_final{};
    std::string client_key{};
};

class ScramServer {
public:
    // 'channel_binding': the hash of our certificate, empty where the connection has no TLS (SCRAM-SHA-256-PLUS was not offered then).
    ScramServer(ScramVerifier verifier, std::string channel_binding, std::string nonce);

    // In this order, each once; any other order is an error. Gives server-first-message.
    Result<std::string> first(std::string_view mechanism, std::string_view client_first);
    Result<ScramOutcome> final(std::string_view client_final);

private:
    enum class State { start, first_sent, done };

    Status read_binding_flag(std::string_view& rest);
    Status check_binding(std::string_view given) const;

    ScramVerifier verifier_;
    std::string channel_binding_;
    std::string nonce_;
    State state_ = State::start;
    bool is_plus_ = false;
    char flag_ = '\0';
    std::string client_first_bare_{};
    std::string server_first_{};
};

class ScramClient {
public:
    struct Password {
        std::string text;
    };
    using Secret = std::variant<Password, ScramKeys>;

    // 'channel_binding': the hash of the server's certificate, empty where the connection has no TLS.
    // 'is_plus': the mechanism is SCRAM-SHA-256-PLUS, which the server offered.
    ScramClient(Secret secret, std::string channel_binding, bool is_plus, std::string nonce);

    std::string first() const;
    // Gives client-final-message.
    Result<std::string> final(std::string_view server_first);
    // Only after this the server has proved that it knows the user's verifier.
    Status verify(std::string_view server_final) const;

private:
    std::string gs2_header() const;
    std::string first_bare() const;

    Secret secret_;
    std::string channel_binding_;
    bool is_plus_;
    std::string nonce_;
    std::string server_signature_{};
};

}  // namespace pgtandem::wire
