#include "proxy/own_statement.hpp"

#include <algorithm>

#include "sql/cursor.hpp"
#include "sql/literal.hpp"

namespace pgtandem::proxy {

namespace {

constexpr std::string_view prefix = "pgtandem";
constexpr std::size_t head_bytes = 4096;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }

// Most texts are none of these; their first word says so.
bool may_be_own(std::string_view text) {
    auto const* const begin = std::ranges::find_if_not(text, is_blank);
    std::string_view const word(begin, std::find_if(begin, text.end(), [](char c) { return is_blank(c) || c == '('; }));
    return sql::equals_folded(word, "set") || sql::equals_folded(word, "show") || sql::equals_folded(word, "reset") ||
           sql::equals_folded(word, "explain");
}

std::string take_setting_name(sql::Cursor& cursor) {
    if (cursor.take_name() != prefix || !cursor.accept('.')) return {};
    auto const name = cursor.take_name();
    return name.empty() ? name : std::string(prefix) + "." + name;
}

bool ends(sql::Cursor& cursor) { return cursor.done() || (cursor.accept(';') && cursor.done()); }

std::string value_of(sql::Token const& token) {
    if (token.kind == sql::Token::Kind::string) return sql::plain_value(token).value_or("");
    return token.is_name() ? sql::identifier_text(token) : std::string(token.text);
}

bool accept_equals(sql::Cursor& cursor) {
    bool const is_equals = cursor.token().text == "=";
    if (is_equals) cursor.advance();
    return is_equals || cursor.accept("to");
}

std::optional<OwnStatement> read_set(sql::Cursor& cursor) {
    OwnStatement own{OwnStatement::Kind::set};
    own.is_local = cursor.accept("local");
    if (!own.is_local) cursor.accept("session");
    own.name = take_setting_name(cursor);
    if (own.name.empty() || !accept_equals(cursor)) return std::nullopt;
    if (cursor.accept("default")) own.kind = OwnStatement::Kind::reset;
    else own.value = value_of(cursor.take());
    return ends(cursor) ? std::optional(own) : std::nullopt;
}

std::optional<OwnStatement> read_named(sql::Cursor& cursor, OwnStatement::Kind kind) {
    OwnStatement own{kind, take_setting_name(cursor)};
    return !own.name.empty() && ends(cursor) ? std::optional(own) : std::nullopt;
}

std::optional<OwnStatement> read_explain(sql::Cursor& cursor, std::string_view text) {
    bool const is_ours = cursor.accept('(') && cursor.accept(prefix) && cursor.token().is(')');
    if (!is_ours) return std::nullopt;
    auto const behind = static_cast<std::size_t>(cursor.token().text.data() + 1 - text.data());
    return OwnStatement{OwnStatement::Kind::explain, {}, std::string(text.substr(behind))};
}

}  // namespace

// Of a long text only its beginning is read: that of another statement, which is to be explained, may be long.
std::optional<OwnStatement> read_own_statement(std::string_view text, bool standard_conforming_strings) {
    auto const head = text.substr(0, head_bytes);
    if (!may_be_own(head)) return std::nullopt;
    sql::Cursor cursor(head, standard_conforming_strings);
    if (cursor.accept("explain")) return read_explain(cursor, text);
    if (text.size() > head.size()) return std::nullopt;
    if (cursor.accept("set")) return read_set(cursor);
    if (cursor.accept("show")) return read_named(cursor, OwnStatement::Kind::show);
    if (cursor.accept("reset")) return read_named(cursor, OwnStatement::Kind::reset);
    return std::nullopt;
}

}  // namespace pgtandem::proxy
