#include "sql/search_path.hpp"

#include "sql/cursor.hpp"
#include "sql/literal.hpp"

namespace pgtandem::sql {

namespace {

// Where the server itself takes a list apart there are names only; in a statement each constant is one name too.
SearchPath read_list(Cursor& cursor, std::string_view user, bool takes_constants) {
    std::vector<std::string> path;
    if (cursor.token().kind == Token::Kind::end) return path;
    do {
        auto const token = cursor.take();
        bool const is_name = token.kind == Token::Kind::word || token.kind == Token::Kind::quoted;
        auto name = is_name ? std::optional(identifier_text(token)) : takes_constants ? plain_value(token) : std::nullopt;
        if (!name || (name == "$user" && user.empty())) return std::nullopt;
        path.push_back(name == "$user" ? std::string(user) : std::move(*name));
    } while (cursor.accept(','));
    if (cursor.token().kind != Token::Kind::end) return std::nullopt;
    return path;
}

// SELECT pg_catalog.set_config('search_path', 'value', false)
SearchPath path_of_call(Cursor& cursor, std::string_view user) {
    bool const is_known = cursor.accept("pg_catalog") && cursor.accept('.') && cursor.accept("set_config") && cursor.accept('(');
    if (!is_known || cursor.take().kind != Token::Kind::string || !cursor.accept(',')) return std::nullopt;
    auto const value = plain_value(cursor.token());
    return value ? path_of_value(*value, user) : std::nullopt;
}

}  // namespace

SearchPath path_of_value(std::string_view value, std::string_view user) {
    // Not a comment to the server.
    if (value.find("--") != value.npos || value.find("/*") != value.npos) return std::nullopt;
    // No schema at all; in SQL that would be no name.
    if (value == "\"\"") return std::vector<std::string>{""};
    Cursor cursor(value, true);
    return read_list(cursor, user, false);
}

SearchPath path_of_statement(std::string_view statement, std::string_view user) {
    Cursor cursor(statement, true);
    if (cursor.accept("select")) return path_of_call(cursor, user);
    if (!cursor.accept("set")) return std::nullopt;
    if (cursor.accept("schema")) return read_list(cursor, user, true);
    cursor.advance();  // its name, as the session wrote it
    return cursor.accept("to") ? read_list(cursor, user, true) : std::nullopt;
}

}  // namespace pgtandem::sql
