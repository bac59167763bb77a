#include "pg/lsn.hpp"

#include <fmt/format.h>

#include <charconv>

namespace pgtandem {

namespace {

std::optional<std::uint32_t> parse_half(std::string_view text) {
    std::uint32_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::string to_string(Lsn lsn) { return fmt::format("{:X}/{:X}", lsn.value() >> 32, lsn.value() & 0xFFFF'FFFF); }

std::optional<Lsn> parse_lsn(std::string_view text) {
    auto const slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    auto const high = parse_half(text.substr(0, slash));
    auto const low = parse_half(text.substr(slash + 1));
    if (!high || !low) return std::nullopt;
    return Lsn((std::uint64_t{*high} << 32) | *low);
}

Lsn lsn_or_zero(std::string_view text) { return parse_lsn(text).value_or(Lsn(0)); }

}  // namespace pgtandem
