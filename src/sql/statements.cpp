#include "sql/statements.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "sql/cursor.hpp"
#include "sql/function_code.hpp"
#include "sql/literal.hpp"
#include "sql/setting_statements.hpp"
#include "sql/transaction_modes.hpp"

namespace pgtandem::sql {

namespace {

// 'cursor' stands behind the first word.
using Reader = void (*)(Cursor& cursor, Effects& effects);

void skip_work(Cursor& cursor) {
    if (!cursor.accept("work")) cursor.accept("transaction");
}

void read_begin(Cursor& cursor, Effects& effects) {
    skip_work(cursor);
    auto const modes = read_transaction_modes(cursor);
    effects.is_plain_begin = modes.has_value();
    if (!modes) effects.pins |= Pin::unproven;
    effects.is_read_only = modes && modes->read_only.value_or(false);
}

void read_start(Cursor& cursor, Effects& effects) {
    if (cursor.at("transaction")) return read_begin(cursor, effects);
    effects.verb = Verb::other;
    effects.pins |= Pin::unproven;
}

void read_chain(Cursor& cursor, Effects& effects) {
    skip_work(cursor);
    if (cursor.accept("and")) effects.has_chain = !cursor.accept("no");
}

void read_commit(Cursor& cursor, Effects& effects) {
    if (cursor.accept("prepared")) {
        effects.verb = Verb::commit_prepared;
        return;
    }
    read_chain(cursor, effects);
}

void read_rollback(Cursor& cursor, Effects& effects) {
    if (cursor.accept("prepared")) {
        effects.verb = Verb::rollback_prepared;
        return;
    }
    skip_work(cursor);
    if (!cursor.accept("to")) return read_chain(cursor, effects);
    effects.verb = Verb::rollback_to;
    cursor.accept("savepoint");
    effects.name = cursor.take_name();
}

void read_name(Cursor& cursor, Effects& effects) { effects.name = cursor.take_name(); }

void read_statement_name(Cursor& cursor, Effects& effects) {
    effects.name = cursor.take_name();
    effects.names_statement = true;
}

// EXECUTE within another statement.
void read_inner_execute(Cursor cursor, Effects& effects) {
    while (!cursor.done() && !cursor.accept("execute")) cursor.advance();
    if (!cursor.done()) read_statement_name(cursor, effects);
}

void read_release(Cursor& cursor, Effects& effects) {
    auto name = cursor.take_name();
    // "savepoint" alone is a name too.
    effects.name = name == "savepoint" && !cursor.done() ? cursor.take_name() : std::move(name);
}

void read_prepare(Cursor& cursor, Effects& effects) {
    if (cursor.at("transaction")) {
        effects.verb = Verb::prepare_transaction;
        return;
    }
    effects.pins |= Pin::prepared_statement;
    read_statement_name(cursor, effects);
}

void read_deallocate(Cursor& cursor, Effects& effects) {
    cursor.accept("prepare");
    if (cursor.at("all")) {
        effects.verb = Verb::deallocate_all;
        effects.unpins |= Pin::prepared_statement | Pin::statement_names;
    } else {
        read_statement_name(cursor, effects);
    }
}

constexpr Pins lasting = Pin::mode | Pin::replication;

void read_discard(Cursor& cursor, Effects& effects) {
    if (cursor.at("all")) {
        effects.verb = Verb::discard_all;
        effects.unpins = Pins::from_bits(~0U).minus(lasting);
        effects.settings.push_back({SettingChange::Kind::reset_all, "", ""});
        effects.settings.push_back({SettingChange::Kind::reset, "role", ""});
    } else if (cursor.at("temp") || cursor.at("temporary")) {
        effects.unpins |= Pin::temporary_table;
    } else if (cursor.at("sequences")) {
        effects.unpins |= Pin::sequence | Pin::drawn_number;
    }
}

void read_listen(Cursor& cursor, Effects& effects) {
    effects.pins |= Pin::listen;
    read_name(cursor, effects);
}

void read_unlisten(Cursor& cursor, Effects& effects) {
    if (cursor.token().kind == Token::Kind::op && cursor.token().text == "*") {
        effects.verb = Verb::unlisten_all;
        effects.unpins |= Pin::listen;
    } else {
        read_name(cursor, effects);
    }
}

void read_declare(Cursor& cursor, Effects& effects) {
    read_name(cursor, effects);
    // The options end where FOR begins the query; WITHOUT HOLD is the other option.
    while (!cursor.done() && !cursor.accept("for")) {
        if (cursor.accept("with") && cursor.at("hold"))
            effects.pins |= Pin::hold_cursor;
        else
            cursor.advance();
    }
}

void read_close(Cursor& cursor, Effects& effects) {
    if (cursor.at("all")) {
        effects.verb = Verb::close_all;
        effects.unpins |= Pin::hold_cursor;
    } else {
        read_name(cursor, effects);
    }
}

void read_unproven(Cursor&, Effects& effects) { effects.pins |= Pin::unproven; }

// The catalog changes inside too: EXPLAIN ANALYZE CREATE TABLE ... AS.
void read_explain(Cursor& cursor, Effects& effects) {
    read_inner_execute(cursor, effects);
    for (; !cursor.done(); cursor.advance()) {
        if (cursor.at("create") || cursor.at("refresh") || cursor.at("into")) effects.changes_catalog = true;
    }
}

bool has_word(Cursor cursor, std::initializer_list<std::string_view> words) {
    for (; !cursor.done(); cursor.advance()) {
        for (auto const word : words) {
            if (cursor.at(word)) return true;
        }
    }
    return false;
}

// What an event trigger does to the session nobody knows as long as the catalog has not been read again.
void read_event_trigger(Effects& effects) { effects.pins |= Pin::unproven; }

// A new database is a copy of one in which nobody may be meanwhile.
void read_create_database(Cursor& cursor, Effects& effects) {
    effects.name = "template1";
    for (cursor.take_name(); !cursor.done();) {
        if (!cursor.accept("template")) {
            cursor.advance();
            continue;
        }
        if (cursor.token().kind == Token::Kind::op) cursor.advance();
        if (auto name = cursor.take_name(); !name.empty()) effects.name = std::move(name);
    }
}

void read_create(Cursor& cursor, Effects& effects) {
    for (auto const word : {"or", "replace", "global", "local", "temporary", "temp", "unlogged", "unique", "foreign"}) cursor.accept(word);
    if (cursor.at("event")) return read_event_trigger(effects);
    if (cursor.accept("database")) return read_create_database(cursor, effects);
    if (cursor.accept("table")) {
        effects.runs_code = has_word(cursor, {"as", "partition"});
        return read_inner_execute(cursor, effects);
    }
    effects.runs_code = cursor.at("index") || cursor.at("materialized") || cursor.at("schema") || cursor.at("extension");
}

void read_alter(Cursor& cursor, Effects& effects) {
    if (cursor.at("event")) return read_event_trigger(effects);
    if (cursor.accept("database")) {
        auto name = cursor.take_name();
        bool const moves = cursor.at("rename") || (cursor.accept("set") && cursor.at("tablespace"));
        if (moves) effects.name = std::move(name);
        return;
    }
    cursor.accept("foreign");
    bool const is_table = cursor.at("table") || cursor.at("domain");
    effects.runs_code = cursor.at("extension") || (is_table && has_word(cursor, {"add", "alter", "attach", "validate"}));
}

void read_drop(Cursor& cursor, Effects& effects) {
    if (!cursor.accept("database")) return;
    if (cursor.accept("if")) cursor.accept("exists");
    effects.name = cursor.take_name();
}

void read_refresh(Cursor&, Effects& effects) { effects.runs_code = true; }

struct Statement {
    std::string_view word;
    Verb verb;
    Reader read;
};

// Sorted by word. Statements that begin with anything else are unproven.
constexpr Statement statements[] = {
    {"abort", Verb::rollback, read_chain},
    {"alter", Verb::ddl, read_alter},
    {"analyse", Verb::vacuum, nullptr},
    {"analyze", Verb::vacuum, nullptr},
    {"begin", Verb::begin, read_begin},
    {"call", Verb::call, nullptr},
    {"checkpoint", Verb::vacuum, nullptr},
    {"close", Verb::close, read_close},
    {"cluster", Verb::vacuum, nullptr},
    {"comment", Verb::ddl, nullptr},
    {"commit", Verb::commit, read_commit},
    {"copy", Verb::copy, nullptr},
    {"create", Verb::ddl, read_create},
    {"deallocate", Verb::deallocate, read_deallocate},
    {"declare", Verb::declare, read_declare},
    {"delete", Verb::delete_, nullptr},
    {"discard", Verb::discard_other, read_discard},
    {"do", Verb::do_, nullptr},  // its reader needs to know the catalog
    {"drop", Verb::ddl, read_drop},
    {"end", Verb::commit, read_chain},
    {"execute", Verb::execute, read_statement_name},
    {"explain", Verb::explain, read_explain},
    {"fetch", Verb::fetch, nullptr},
    {"grant", Verb::ddl, nullptr},
    {"import", Verb::ddl, nullptr},
    {"insert", Verb::insert, nullptr},
    {"listen", Verb::listen, read_listen},
    {"load", Verb::load, read_unproven},
    {"lock", Verb::lock, nullptr},
    {"merge", Verb::merge, nullptr},
    {"move", Verb::move, nullptr},
    {"notify", Verb::notify, read_name},
    {"prepare", Verb::prepare, read_prepare},
    {"reassign", Verb::ddl, nullptr},
    {"refresh", Verb::ddl, read_refresh},
    {"reindex", Verb::vacuum, nullptr},
    {"release", Verb::release, read_release},
    {"reset", Verb::reset, read_reset},
    {"revoke", Verb::ddl, nullptr},
    {"rollback", Verb::rollback, read_rollback},
    {"savepoint", Verb::savepoint, read_name},
    {"security", Verb::ddl, nullptr},
    {"select", Verb::select, nullptr},
    {"set", Verb::set, nullptr},  // its reader needs to know of standard_conforming_strings
    {"show", Verb::show, nullptr},
    {"start", Verb::begin, read_start},
    {"table", Verb::table, nullptr},
    {"truncate", Verb::truncate, nullptr},
    {"unlisten", Verb::unlisten, read_unlisten},
    {"update", Verb::update, nullptr},
    {"vacuum", Verb::vacuum, nullptr},
    {"values", Verb::values, nullptr},
};
static_assert(std::ranges::is_sorted(statements, {}, &Statement::word));

Statement const* find_statement(std::string_view word) {
    char folded[16];
    if (word.size() > sizeof folded) return nullptr;
    std::ranges::transform(word, folded,
                           [](char c) { return static_cast<char>(identifier_fold[static_cast<unsigned char>(c)]); });
    std::string_view const key(folded, word.size());
    auto const* const found = std::ranges::lower_bound(statements, key, {}, &Statement::word);
    return found != std::end(statements) && found->word == key ? found : nullptr;
}

// The word that says what a statement behind WITH or "(" does.
std::string_view main_word(std::string_view text, bool standard_conforming_strings) {
    Cursor cursor(text, standard_conforming_strings);
    if (cursor.token().is('(')) {
        while (cursor.accept('(')) {
        }
        return cursor.at("with") ? "select" : cursor.token().text;
    }
    std::size_t depth = 0;
    for (; !cursor.done(); cursor.advance()) {
        if (cursor.token().is('(')) ++depth;
        if (cursor.token().is(')') && depth > 0) --depth;
        if (depth > 0) continue;
        for (auto const* const word : {"select", "insert", "update", "delete", "merge", "values", "table"}) {
            if (cursor.at(word)) return word;
        }
    }
    return {};
}

void read_verb(StatementScan const& scan, bool scs, Effects& effects) {
    auto word = scan.first_word;
    if (word.empty() || equals_folded(word, "with")) word = main_word(scan.text, scs);
    auto const* const statement = find_statement(word);
    if (statement == nullptr) {
        effects.pins |= Pin::unproven;
        return;
    }
    effects.verb = statement->verb;
    effects.changes_catalog = statement->verb == Verb::ddl;
    if (statement->verb != Verb::set && statement->read == nullptr) return;
    Cursor cursor(scan.text, scs);
    cursor.advance();
    if (statement->verb == Verb::set)
        read_set(cursor, scs, effects);
    else
        statement->read(cursor, effects);
}

// DO [LANGUAGE plpgsql] 'code'; in another language anything may be in it.
void read_do(std::string_view text, bool scs, CatalogFacts const& facts, Effects& effects) {
    std::optional<std::string> code;
    bool is_known = true;
    Cursor cursor(text, scs);
    for (cursor.advance(); !cursor.done(); cursor.advance()) {
        if (cursor.accept("language"))
            is_known = is_known && cursor.at("plpgsql");
        else
            code = plain_value(cursor.token());
    }
    effects.pins |= code && is_known ? facts.code(read_function_code(*code)) : Pin::unproven;
}

// SELECT pg_advisory_unlock_all() and nothing else.
bool is_lone_unlock_all(std::string_view text, bool scs) {
    Cursor cursor(text, scs);
    if (!cursor.accept("select")) return false;
    if (cursor.accept("pg_catalog") && !cursor.accept('.')) return false;
    return cursor.accept("pg_advisory_unlock_all") && cursor.accept('(') && cursor.accept(')') && cursor.done();
}

}  // namespace

bool is_bookkeeping(Verb verb) {
    switch (verb) {
        using enum Verb;
        case begin:
        case commit:
        case rollback:
        case savepoint:
        case release:
        case rollback_to:
        case set:
        case set_transaction:
        case reset: return true;
        default: return false;
    }
}

bool runs_on_catalog(Effects const& effects) {
    if (effects.verb == Verb::ddl) return effects.runs_code;
    return !is_bookkeeping(effects.verb) && effects.verb != Verb::show;
}

Effects statement_effects(StatementScan const& scan, bool scs, CatalogFacts const& facts) {
    Effects effects;
    effects.pins = scan.pins | facts.on_any_statement();
    if (scan.is_broken) {
        effects.pins |= Pin::unproven;
        return effects;
    }
    read_verb(scan, scs, effects);
    if (effects.verb == Verb::do_) read_do(scan.text, scs, facts, effects);
    if (scan.creates_temporary) effects.pins |= Pin::temporary_table;
    if (scan.has_into && (effects.verb == Verb::select || effects.verb == Verb::execute))
        effects.changes_catalog = true;
    if (effects.changes_catalog) effects.pins |= facts.on_ddl();
    // Expressions of tables' indexes, checks and columns run where a table is written anew, too.
    if (effects.changes_catalog || effects.verb == Verb::vacuum) effects.pins |= scan.pins_of_writing;
    if (effects.verb == Verb::vacuum) effects.pins |= facts.on_maintenance();
    if (scan.calls_set_config) read_set_config(scan.text, scs, effects);
    if (scan.calls_unlock_all && is_lone_unlock_all(scan.text, scs)) effects.unpins |= Pin::advisory_lock;
    return effects;
}

}  // namespace pgtandem::sql
