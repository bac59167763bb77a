// A server's side of a SCRAM login, a message a line, which is not to be trusted: 'f' and server-first-message, 'v' and
// server-final-message. Nobody here knows the verifier, so nothing may be taken for a proof.
#include "base/text.hpp"
#include "support/fuzz.hpp"
#include "wire/scram.hpp"

using namespace pgtandem;

PGTANDEM_FUZZ_TARGET(scram_client) {
    wire::ScramKeys const keys{std::string(32, 'c'), std::string(32, 's')};
    for (bool const has_tls : {false, true}) {
        wire::ScramClient client(keys, has_tls ? "binding" : "", has_tls, "client");
        for (auto const& line : split_lines(input)) {
            if (line.empty()) continue;
            auto const message = std::string_view(line).substr(1);
            if (line[0] == 'f') {
                auto const answer = client.final(message);
                fuzz::require(answer ? answer->starts_with("c=") : answer.error().sqlstate.size() == 5);
            } else {
                auto const verified = client.verify(message);
                fuzz::require(!verified && verified.error().sqlstate.size() == 5);
            }
        }
    }
}
