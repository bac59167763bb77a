#include "sql/verdict.hpp"

#include <pg_query.h>

#include <cstring>

#include "sql/lexer.hpp"
#include "sql/node_checks.hpp"
#include "sql/tree_reader.hpp"

namespace pgtandem::sql {

namespace {

// libpg_query goes down a parse tree by recursion without looking at its stack: 10,000 levels take 2 MB of it.
constexpr std::size_t nesting_max = 10'000;

// Whether the tree may be too deep. A level takes at least a word or a sign; of lists of constants there may be more.
bool may_nest_too_deep(std::string_view text) {
    if (text.size() <= nesting_max) return false;
    std::size_t levels = 0;
    for (Lexer lexer(text, true); levels <= nesting_max;) {
        auto const token = lexer.next();
        switch (token.kind) {
            case Token::Kind::end: return false;
            case Token::Kind::broken: return true;
            case Token::Kind::string:
            case Token::Kind::number:
            case Token::Kind::param: break;
            default: levels += token.is(',') ? 0 : 1;
        }
    }
    return true;
}

// Of whatever encoding the text is, the tree comes as UTF-8. Letters beyond ASCII only have to stay such.
std::string as_utf8(std::string_view text) {
    std::string all;
    all.reserve(text.size());
    for (char c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte >= 0x80) all += static_cast<char>(0xc0 | (byte >> 6));
        all += byte >= 0x80 ? static_cast<char>(0x80 | (byte & 0x3f)) : c;
    }
    return all;
}

std::string as_written(std::string_view utf8) {
    std::string text;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        auto const byte = static_cast<unsigned char>(utf8[i]);
        bool const is_first = byte >= 0xc0 && i + 1 < utf8.size();
        text += is_first ? static_cast<char>(byte << 6 | (utf8[++i] & 0x3f)) : utf8[i];
    }
    return text;
}

struct Parsed {
    explicit Parsed(std::string const& text) : result(pg_query_parse(text.c_str())) {}
    ~Parsed() { pg_query_free_parse_result(result); }
    Parsed(Parsed const&) = delete;
    Parsed& operator=(Parsed const&) = delete;

    PgQueryParseResult result;
};

Finding find_against(std::string_view text, NodeChecks& checks) {
    if (may_nest_too_deep(text)) return {Reason::too_long, "deeply nested"};
    Parsed const parsed(as_utf8(text));
    if (parsed.result.error != nullptr) return {Reason::unparsable, parsed.result.error->message};
    return TreeReader(checks).read({parsed.result.parse_tree, std::strlen(parsed.result.parse_tree)});
}

}  // namespace

Verdict verdict(std::string_view text, bool standard_conforming_strings, CatalogFacts const& facts,
                SearchPath const& path) {
    if (!facts.doubts().is_complete) return {.reason = Reason::catalog_unknown};
    // The parser reads strings as the standard has them.
    if (!standard_conforming_strings && (text.find('\\') != text.npos || text.find("&'") != text.npos))
        return {
            .reason = Reason::unparsable, .detail = "standard_conforming_strings is off", .depends_on_literals = true};
    if (text.find('\0') != text.npos) return {.reason = Reason::unparsable, .detail = "a zero byte"};
    NodeChecks checks(facts.doubts(), path);
    auto found = find_against(text, checks);
    auto touched = found.reason == Reason::read ? checks.touched() : Touched::all();
    if (found.reason == Reason::writes || found.reason == Reason::locks_rows) {
        NodeChecks of_write(facts.doubts(), path, true);
        if (find_against(text, of_write).reason == Reason::read) touched = of_write.touched();
    }
    // The escapes of U&"name" are told by a string behind it.
    bool const has_escaped_name = text.find("&\"") != text.npos;
    return {.may_read = found.reason == Reason::read,
            .reason = found.reason,
            .detail = as_written(found.detail),
            .depends_on_literals = checks.depends_on_literals() || has_escaped_name,
            .touched = std::move(touched)};
}

}  // namespace pgtandem::sql
