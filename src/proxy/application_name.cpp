#include "proxy/application_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "proxy/backend.hpp"

namespace pgtandem::proxy {

namespace {

constexpr std::size_t longest_name = 63;  // NAMEDATALEN - 1
constexpr long first_with_hex = 16;

std::size_t utf8_length(unsigned char first) {
    if (first < 0xC0) return 1;
    if (first < 0xE0) return 2;
    if (first < 0xF0) return 3;
    return first < 0xF8 ? 4 : 1;
}

// No letter is cut in two.
std::size_t cut_length(std::string_view name, bool is_utf8) {
    if (!is_utf8) return longest_name;
    std::size_t length = 0;
    while (length < name.size()) {
        auto const next = utf8_length(static_cast<unsigned char>(name[length]));
        if (length + next > longest_name) break;
        length += next;
    }
    return length;
}

std::string cleaned(std::string_view name, bool with_hex) {
    std::string text;
    for (unsigned char const letter : name) {
        bool const is_printable = letter >= 32 && letter <= 126;
        if (is_printable) text += static_cast<char>(letter);
        else text += with_hex ? fmt::format("\\x{:02x}", letter) : "?";
    }
    return text;
}

}  // namespace

ApplicationName application_name_at_login(std::string_view given, std::string_view encoding, std::string_view version) {
    bool const with_hex = std::strtol(std::string(version).c_str(), nullptr, 10) >= first_with_hex;
    if (given.size() <= longest_name) return {cleaned(given, with_hex)};
    auto const cut = given.substr(0, cut_length(given, encoding == "UTF8"));
    auto notice = make_error("NOTICE", "42622", fmt::format("identifier \"{}\" will be truncated to \"{}\"", given, cut));
    return {cleaned(cut, with_hex), std::move(notice)};
}

}  // namespace pgtandem::proxy
