// Somebody between client and server changes the login's messages: four lines say what each becomes, an empty one leaves
// it as it is. A login of which a message was changed never ends with both sides content.
#include "base/text.hpp"
#include "support/fuzz.hpp"
#include "wire/scram.hpp"

using namespace pgtandem;

namespace {

class Middle {
public:
    explicit Middle(std::string_view input) : lines_(split_lines(input)) {}

    std::string pass(std::string message) {
        if (at_ >= lines_.size() || lines_[at_].empty()) return ++at_, message;
        auto given = lines_[at_++];
        // A comma at the very end is no attribute, and so says nothing; PostgreSQL passes over it too.
        has_changed_ |= given != message && given != message + ",";
        return given;
    }
    bool has_changed() const { return has_changed_; }

private:
    std::vector<std::string> lines_;
    std::size_t at_ = 0;
    bool has_changed_ = false;
};

bool both_are_content(Middle& middle, bool is_plus) {
    static auto const keys = wire::derive_keys("pencil", "salt", 10);
    static auto const verifier = wire::make_verifier("pencil", "salt", 10);
    auto const* const binding = is_plus ? "binding" : "";
    wire::ScramClient client(keys, binding, is_plus, "client");
    wire::ScramServer server(verifier, binding, "server");
    auto const server_first = server.first(is_plus ? wire::scram_sha_256_plus : wire::scram_sha_256, middle.pass(client.first()));
    if (!server_first) return false;
    auto const client_final = client.final(middle.pass(*server_first));
    if (!client_final) return false;
    auto const outcome = server.final(middle.pass(*client_final));
    return outcome && outcome->ok && client.verify(middle.pass(outcome->server_final));
}

}  // namespace

PGTANDEM_FUZZ_TARGET(scram_in_the_middle) {
    for (bool const is_plus : {false, true}) {
        Middle middle(input);
        bool const are_content = both_are_content(middle, is_plus);
        fuzz::require(!are_content || !middle.has_changed());
    }
}
