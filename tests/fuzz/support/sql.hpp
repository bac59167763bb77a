// What the targets of sql/ have in common: a text is looked at in both ways in which a session may read it.
#pragma once
#include <string_view>
#include <vector>

#include "sql/analyze.hpp"
#include "sql/lexer.hpp"

namespace pgtandem::fuzz {

// Up to the end, or to what is broken, which is the last one then.
inline std::vector<sql::Token> tokens_of(std::string_view text, bool standard_conforming_strings) {
    std::vector<sql::Token> tokens;
    for (sql::Lexer lexer(text, standard_conforming_strings);;) {
        auto const token = lexer.next();
        if (token.kind == sql::Token::Kind::end) return tokens;
        tokens.push_back(token);
        if (token.kind == sql::Token::Kind::broken) return tokens;
    }
}

inline bool is_broken(std::vector<sql::Token> const& tokens) {
    return !tokens.empty() && tokens.back().kind == sql::Token::Kind::broken;
}

// PostgreSQL's own functions only.
inline sql::CatalogFacts const& no_facts() {
    static sql::CatalogFacts const facts;
    return facts;
}

inline bool are_same(sql::Effects const& one, sql::Effects const& other) {
    return one.verb == other.verb && one.pins == other.pins && one.unpins == other.unpins && one.name == other.name &&
           one.settings == other.settings && one.changes_catalog == other.changes_catalog &&
           one.has_chain == other.has_chain && one.is_plain_begin == other.is_plain_begin &&
           one.is_read_only == other.is_read_only;
}

}  // namespace pgtandem::fuzz
