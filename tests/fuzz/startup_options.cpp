// The startup parameter "options": settings that were understood can be written again, and mean the same.
#include "support/fuzz.hpp"
#include "wire/startup.hpp"

using namespace pgtandem;

namespace {

std::string escaped(std::string_view text) {
    std::string result;
    for (char const letter : text) {
        if (letter == '\\' || letter == ' ' || (letter >= '\t' && letter <= '\r')) result += '\\';
        result += letter;
    }
    return result;
}

}  // namespace

PGTANDEM_FUZZ_TARGET(startup_options) {
    auto const settings = wire::parse_options(input);
    if (!settings) return fuzz::require(!settings.error().what.empty() && settings.error().sqlstate.size() == 5);
    std::string written;
    for (auto const& [name, value] : *settings) {
        fuzz::require(!name.empty() && name.find_first_of("-=") == std::string::npos);
        written += " -c " + escaped(name) + "=" + escaped(value);
    }
    auto const again = wire::parse_options(written);
    fuzz::require(again && *again == *settings);
}
