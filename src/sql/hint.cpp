#include "sql/hint.hpp"

#include "sql/lexer.hpp"

namespace pgtandem::sql {

namespace {

constexpr std::string_view word = "pgtandem";

void skip_blanks(std::string_view& text) {
    auto const start = text.find_first_not_of(" \t\r\n");
    text.remove_prefix(start == std::string_view::npos ? text.size() : start);
}

bool accept(std::string_view& text, std::string_view expected) {
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(expected.size());
    skip_blanks(text);
    return true;
}

// What stands between two tokens: blanks and comments.
std::optional<Hint> hint_in(std::string_view gap) {
    for (auto at = gap.find(word); at != std::string_view::npos; at = gap.find(word, at + 1)) {
        auto rest = gap.substr(at);
        if (!accept(rest, word) || !accept(rest, ":")) continue;
        if (accept(rest, "route")) accept(rest, "=");
        auto const where = rest.substr(0, rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"));
        if (where == "primary") return Hint::primary;
        if (where == "replica") return Hint::replica;
    }
    return std::nullopt;
}

bool is_doubt(Reason reason) {
    using enum Reason;
    return reason == volatile_function || reason == unknown_function || reason == unknown_relation || reason == unknown_operator ||
           reason == local_answer;
}

}  // namespace

Verdict with_hint(Verdict verdict, std::optional<Hint> hint) {
    if (hint == Hint::primary) return {.reason = Reason::hint_primary};
    if (hint != Hint::replica || !is_doubt(verdict.reason)) return verdict;
    verdict.may_read = true;
    verdict.reason = Reason::hint_replica;
    return verdict;
}

std::optional<Hint> read_hint(std::string_view text, bool standard_conforming_strings) {
    if (text.find(word) == std::string_view::npos) return std::nullopt;
    auto const* gap = text.data();
    for (Lexer lexer(text, standard_conforming_strings);;) {
        auto const token = lexer.next();
        bool const is_last = token.kind == Token::Kind::end || token.kind == Token::Kind::broken;
        auto const* const gap_end = token.kind == Token::Kind::end ? text.data() + text.size() : token.text.data();
        if (auto const hint = hint_in({gap, gap_end})) return hint;
        if (is_last) return std::nullopt;
        gap = token.text.data() + token.text.size();
    }
}

}  // namespace pgtandem::sql
