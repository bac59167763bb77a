#include "wire/scram_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgtandem::wire {

namespace {

std::string_view take_value(std::string_view& rest) {
    auto const comma = rest.find(',');
    auto const value = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    return value;
}

bool is_letter(char one) { return (one >= 'A' && one <= 'Z') || (one >= 'a' && one <= 'z'); }

}  // namespace

tl::unexpected<Error> scram_error(std::string message, std::string detail, std::string sqlstate) {
    return fail(Error{std::move(message), "", std::move(detail), "", ErrorKind::failed, std::move(sqlstate)});
}

tl::unexpected<Error> malformed_scram(std::string detail) { return scram_error("malformed SCRAM message", std::move(detail)); }

std::string shown_character(std::string_view text) {
    auto const one = text.empty() ? '\0' : text[0];
    if (one >= 0x21 && one <= 0x7e) return fmt::format("'{}'", one);
    return fmt::format("0x{:02x}", static_cast<unsigned char>(one));
}

Result<std::string_view> read_attribute(std::string_view& rest, char name) {
    if (!rest.starts_with(name)) {
        return malformed_scram(fmt::format("Expected attribute \"{}\" but found \"{}\".", name, shown_character(rest)));
    }
    rest.remove_prefix(1);
    if (!rest.starts_with('=')) return malformed_scram(fmt::format("Expected character \"=\" for attribute \"{}\".", name));
    rest.remove_prefix(1);
    return take_value(rest);
}

Result<std::pair<char, std::string_view>> read_any_attribute(std::string_view& rest) {
    if (rest.empty() || !is_letter(rest[0])) {
        return malformed_scram(fmt::format("Attribute expected, but found invalid character \"{}\".", shown_character(rest)));
    }
    auto const name = rest[0];
    PGTANDEM_TRY(value, read_attribute(rest, name));
    return std::pair{name, value};
}

bool is_scram_printable(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char one) { return one >= 0x21 && one <= 0x7e && one != ','; });
}

}  // namespace pgtandem::wire
