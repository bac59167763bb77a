#include "sql/setting_statements.hpp"

#include <optional>
#include <utility>

#include "sql/literal.hpp"
#include "sql/transaction_modes.hpp"

namespace pgtandem::sql {

namespace {

using Kind = SettingChange::Kind;

void mark_unproven(Effects& effects) {
    effects.settings.clear();
    effects.pins |= Pin::unproven;
}

bool is_temporary_schema_named(std::string_view value) { return value.find("pg_temp") != value.npos; }

// Adds the change, unless the setting is one that cannot be brought along.
void add_setting(Effects& effects, Kind kind, std::string name, std::string replay,
                 std::optional<std::string> const& value) {
    if (name == "session_authorization") {
        effects.pins |= Pin::session_authorization;
        return;
    }
    if (name == "transaction_isolation" || name == "transaction_read_only" || name == "transaction_deferrable") {
        effects.verb = Verb::set_transaction;
        return;
    }
    if (name.empty() || name == "seed") return mark_unproven(effects);
    // From here on the texts cannot be read, whatever is sent.
    if (name == "client_encoding" && (!value || !is_safe_to_lex(*value))) effects.pins |= Pin::mode | Pin::unproven;
    if (name == "search_path" && is_temporary_schema_named(replay)) effects.pins |= Pin::temporary_table | Pin::unproven;
    effects.settings.push_back({kind, std::move(name), std::move(replay)});
}

bool needs_space(Token const& before, Token const& token) {
    return !token.is(',') && !token.is('.') && !before.is('.');
}

// The rest of the statement as a value for SET: constants and words with commas. Nothing if anything else stands there.
struct SettingValue {
    std::string text;
    std::optional<std::string> single;  // where it is one word or plain constant
};

std::optional<SettingValue> read_value(Cursor& cursor, bool standard_conforming_strings) {
    SettingValue value;
    Token before{};
    std::size_t count = 0;
    for (; !cursor.done(); before = cursor.take(), ++count) {
        auto const& token = cursor.token();
        if (token.kind == Token::Kind::param || token.kind == Token::Kind::unicode || token.is(';')) return std::nullopt;
        if (count > 0 && needs_space(before, token)) value.text += ' ';
        if (token.kind == Token::Kind::string) {
            auto const literal = portable_literal(token, standard_conforming_strings);
            if (!literal) return std::nullopt;
            value.text += *literal;
        } else {
            value.text += token.text;
        }
        value.single = token.kind == Token::Kind::string ? plain_value(token)
                       : token.is_name()                 ? std::optional(identifier_text(token))
                                                         : std::nullopt;
    }
    if (count != 1) value.single.reset();
    if (count == 0 || cursor.token().kind == Token::Kind::broken) return std::nullopt;
    return value;
}

// "SET <words> <value>"; DEFAULT alone is a reset.
void read_assignment(Cursor& cursor, bool scs, Kind kind, std::string name, std::string const& words,
                     Effects& effects) {
    bool const is_default = cursor.at("default");
    auto const value = read_value(cursor, scs);
    if (!value) return mark_unproven(effects);
    if (is_default && kind == Kind::set && value->single) {
        return add_setting(effects, Kind::reset, std::move(name), "", "default");
    }
    add_setting(effects, kind, std::move(name), "SET " + words + " " + value->text,
                is_default ? "default" : value->single);
}

// "a" or "a.b.c", both as folded name and as text to write again.
std::pair<std::string, std::string> read_setting_name(Cursor& cursor) {
    std::string name;
    std::string text;
    while (cursor.token().kind == Token::Kind::word || cursor.token().kind == Token::Kind::quoted) {
        text += cursor.token().text;
        // Settings are found whatever their case, quoted or not.
        for (char c : cursor.take_name()) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        if (!cursor.accept('.')) return {name, text};
        name += '.';
        text += '.';
    }
    return {};
}

void read_time_zone(Cursor& cursor, bool scs, Kind kind, Effects& effects) {
    if (kind == Kind::set && (cursor.at("local") || cursor.at("default"))) {
        return add_setting(effects, Kind::reset, "timezone", "", "default");
    }
    read_assignment(cursor, scs, kind, "timezone", "TIME ZONE", effects);
}

void read_names(Cursor& cursor, bool scs, Kind kind, Effects& effects) {
    if (cursor.done())
        return add_setting(effects, kind == Kind::set ? Kind::reset : kind, "client_encoding", "", "default");
    read_assignment(cursor, scs, kind, "client_encoding", "NAMES", effects);
}

// SET <name> TO|= <value>, and the forms of their own: 'cursor' stands behind SESSION or LOCAL.
void read_set_name(Cursor& cursor, bool scs, Kind kind, Effects& effects) {
    auto const [name, text] = read_setting_name(cursor);
    bool const assigns = cursor.accept("to") || (cursor.token().kind == Token::Kind::op && cursor.take().text == "=");
    if (assigns) return read_assignment(cursor, scs, kind, name, text + " TO", effects);
    if (name == "time" && cursor.accept("zone")) return read_time_zone(cursor, scs, kind, effects);
    if (name == "names") return read_names(cursor, scs, kind, effects);
    if (name == "role") return read_assignment(cursor, scs, kind, "role", "ROLE", effects);
    if (name == "schema") return read_assignment(cursor, scs, kind, "search_path", "SCHEMA", effects);
    if (name == "xml" && cursor.accept("option"))
        return read_assignment(cursor, scs, kind, "xmloption", "XML OPTION", effects);
    if (name == "authorization") {
        effects.pins |= Pin::session_authorization;
        return;
    }
    mark_unproven(effects);
}

void read_session_characteristics(Cursor& cursor, Effects& effects) {
    bool const is_known = cursor.accept("as") && cursor.accept("transaction");
    auto const modes = is_known ? read_transaction_modes(cursor) : std::nullopt;
    if (!modes) return mark_unproven(effects);
    auto const add = [&](std::string const& name, std::string const& value) {
        if (!value.empty()) effects.settings.push_back({Kind::set, name, "SET " + name + " TO " + value});
    };
    add("default_transaction_isolation", modes->isolation.empty() ? "" : "'" + modes->isolation + "'");
    add("default_transaction_read_only", modes->read_only ? (*modes->read_only ? "on" : "off") : "");
    add("default_transaction_deferrable", modes->deferrable ? (*modes->deferrable ? "on" : "off") : "");
}

}  // namespace

void read_set(Cursor& cursor, bool scs, Effects& effects) {
    effects.verb = Verb::set;
    if (cursor.accept("constraints")) return;
    auto kind = Kind::set;
    if (cursor.accept("local")) {
        kind = Kind::set_local;
    } else if (cursor.accept("session") && cursor.accept("characteristics")) {
        return read_session_characteristics(cursor, effects);
    }
    if (!cursor.accept("transaction")) return read_set_name(cursor, scs, kind, effects);
    effects.verb = Verb::set_transaction;
    if (cursor.accept("snapshot")) return;
    auto const modes = read_transaction_modes(cursor);
    if (!modes) return mark_unproven(effects);
    effects.is_read_only = modes->read_only.value_or(false);
}

void read_reset(Cursor& cursor, Effects& effects) {
    effects.verb = Verb::reset;
    if (cursor.accept("all")) {
        effects.settings.push_back({Kind::reset_all, "", ""});
        return;
    }
    auto name = read_setting_name(cursor).first;
    if (name == "time" && cursor.accept("zone")) name = "timezone";
    if (name == "session" && cursor.accept("authorization")) name = "session_authorization";
    if (name == "transaction" && cursor.accept("isolation") && cursor.accept("level")) name = "transaction_isolation";
    if (!cursor.done()) return mark_unproven(effects);
    add_setting(effects, Kind::reset, std::move(name), "", "default");
}

namespace {

// SELECT [pg_catalog.]set_config('name', 'value', true|false)
bool read_lone_set_config(Cursor cursor, bool scs, Effects& effects) {
    if (!cursor.accept("select")) return false;
    if (cursor.accept("pg_catalog") && !cursor.accept('.')) return false;
    if (!cursor.accept("set_config") || !cursor.accept('(')) return false;
    auto const name_token = cursor.take();
    bool const has_value = cursor.accept(',') && cursor.token().kind == Token::Kind::string;
    if (!has_value || name_token.kind != Token::Kind::string) return false;
    auto const value_token = cursor.take();
    if (!cursor.accept(',')) return false;
    bool const is_local = cursor.at("true");
    if (!is_local && !cursor.at("false")) return false;
    cursor.advance();
    auto const name = plain_value(name_token);
    auto const literal = portable_literal(value_token, scs);
    if (!cursor.accept(')') || !cursor.done() || !name || !literal) return false;
    std::string folded;
    for (char c : *name) folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (folded.find('\'') != std::string::npos) return false;
    effects.verb = Verb::set;
    auto replay = "SELECT pg_catalog.set_config('" + folded + "', " + *literal + ", false)";
    add_setting(effects, is_local ? Kind::set_local : Kind::set, std::move(folded), std::move(replay),
                plain_value(value_token));
    return true;
}

// Behind "set_config(": whether the third argument, the last one, is the word true.
bool is_local_call(Cursor& cursor) {
    std::size_t depth = 1;
    std::size_t argument = 1;
    std::size_t words = 0;
    bool is_true = false;
    for (; !cursor.done(); cursor.advance()) {
        auto const& token = cursor.token();
        if (token.is('(') || token.is('[')) ++depth;
        if ((token.is(')') || token.is(']')) && --depth == 0) return argument == 3 && words == 1 && is_true;
        if (depth == 1 && token.is(',')) {
            ++argument;
            words = 0;
            continue;
        }
        ++words;
        is_true = cursor.at("true");
    }
    return false;
}

}  // namespace

void read_set_config(std::string_view statement, bool scs, Effects& effects) {
    if (read_lone_set_config(Cursor(statement, scs), scs, effects)) return;
    // The arguments are read again for each call, since calls may stand in another's; bounded, so that nobody can make
    // a text that takes for ever.
    int calls_left = 8;
    for (Cursor cursor(statement, scs); !cursor.done();) {
        auto const token = cursor.take();
        if (!token.is_name() || identifier_text(token) != "set_config" || !cursor.token().is('(')) continue;
        auto arguments = cursor;
        arguments.advance();
        if (--calls_left < 0 || !is_local_call(arguments)) return mark_unproven(effects);
        effects.sets_for_itself = true;
    }
}

}  // namespace pgtandem::sql
