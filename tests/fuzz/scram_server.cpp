// A client's side of a SCRAM login, a message a line, in any order: the first letter of a line says what it is sent as.
#include "base/text.hpp"
#include "support/fuzz.hpp"
#include "wire/scram.hpp"
#include "wire/scram_crypto.hpp"

using namespace pgtandem;

namespace {

void require_words(Error const& error) { fuzz::require(!error.what.empty() && error.sqlstate.size() == 5); }

// 's' and 'S': client-first-message for SCRAM-SHA-256 and -PLUS; anything else: client-final-message.
class Conversation {
public:
    explicit Conversation(bool has_tls) : server_(verifier(), has_tls ? "binding" : "", "server") {}

    void send(std::string_view line) {
        auto const message = line.substr(1);
        if (line[0] == 's') return first(wire::scram_sha_256, message);
        if (line[0] == 'S') return first(wire::scram_sha_256_plus, message);
        final(message);
    }

private:
    enum class State { start, first_sent, done };

    static wire::ScramVerifier const& verifier() {
        static auto const made = wire::make_verifier("pencil", "salt", 10);
        return made;
    }
    void first(std::string_view mechanism, std::string_view message) {
        auto const answer = server_.first(mechanism, message);
        fuzz::require(!answer || state_ == State::start);
        if (!answer) require_words(answer.error());
        state_ = answer ? State::first_sent : State::done;
    }
    void final(std::string_view message) {
        auto const outcome = server_.final(message);
        fuzz::require(!outcome || state_ == State::first_sent);
        if (!outcome) require_words(outcome.error());
        if (outcome && outcome->ok) fuzz::require(wire::sha256(outcome->client_key) == verifier().stored_key);
        if (outcome && !outcome->ok) fuzz::require(outcome->client_key.empty() && outcome->server_final.empty());
        if (state_ == State::first_sent) state_ = State::done;
    }

    wire::ScramServer server_;
    State state_ = State::start;
};

}  // namespace

PGTANDEM_FUZZ_TARGET(scram_server) {
    for (bool const has_tls : {false, true}) {
        Conversation conversation(has_tls);
        for (auto const& line : split_lines(input)) {
            if (!line.empty()) conversation.send(line);
        }
    }
}
