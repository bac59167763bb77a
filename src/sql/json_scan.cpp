#include "sql/json_scan.hpp"

namespace pgtandem::sql {

std::optional<std::string_view> JsonScan::take_string() {
    auto* const start = ++at_;
    while (at_ < end_ && *at_ != '"' && *at_ != '\\') ++at_;
    auto* to = at_;
    while (at_ < end_ && *at_ != '"') {
        if (*at_ != '\\') {
            *to++ = *at_++;
            continue;
        }
        auto const escaped = take_escaped();
        if (!escaped) return std::nullopt;
        *to++ = *escaped;
    }
    if (at_ == end_) return std::nullopt;
    ++at_;
    return std::string_view(start, static_cast<std::size_t>(to - start));
}

std::optional<char> JsonScan::take_escaped() {
    if (end_ - at_ < 2) return std::nullopt;
    char const kind = at_[1];
    at_ += 2;
    switch (kind) {
        case '"':
        case '\\':
        case '/': return kind;
        case 'b': return '\b';
        case 'f': return '\f';
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        case 'u': break;
        default: return std::nullopt;
    }
    unsigned code = 0;
    if (end_ - at_ < 4) return std::nullopt;
    auto const [rest, error] = std::from_chars(at_, at_ + 4, code, 16);
    if (error != std::errc() || rest != at_ + 4 || code >= 0x80) return std::nullopt;
    at_ += 4;
    return static_cast<char>(code);
}

}  // namespace pgtandem::sql
