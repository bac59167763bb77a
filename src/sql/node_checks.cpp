#include "sql/node_checks.hpp"

#include <algorithm>
#include <functional>

#include "sql/lexer.hpp"
#include "sql/on_replica.hpp"

namespace pgtandem::sql {

namespace {

// The last two of what may be database.schema.name.
QualifiedName qualified(std::span<std::string_view const> names) {
    if (names.empty()) return {};
    return {names.size() > 1 ? names[names.size() - 2] : std::string_view(), names.back()};
}

Finding finding(Reason reason, std::string_view detail) {
    return reason == Reason::read ? Finding{} : Finding{reason, std::string(detail)};
}

Finding check_setting(std::string_view setting) {
    std::string name(setting);
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return finding(is_portable_setting(name) ? Reason::read : Reason::local_answer, name);
}

}  // namespace

Finding NodeChecks::check(Check check, NodeText const& node) {
    switch (check) {
        case Check::none:
        case Check::constant:
        case Check::write: return {};
        case Check::sample: return check_function({node.names, 1});
        case Check::function: return check_function(node);
        case Check::relation: return check_relation(node);
        case Check::common_table: common_tables_.insert(node.names.begin(), node.names.end()); return {};
        case Check::operator_name: return check_operator(node);
        case Check::column: return check_fields(node.names.empty() ? node.names : node.names.subspan(1));
        case Check::fields: return check_fields(node.names);
        case Check::setting: return check_setting(node.names.empty() ? "" : node.names.front());
        case Check::statement: return finish_statement();
    }
    return {Reason::unknown_syntax, ""};
}

Finding NodeChecks::check_function(NodeText const& node) {
    auto const function = qualified(node.names);
    if (doubts_.reach.has_function(function.name)) touched_.add(Touched::all());
    if (asks_for_local_setting(node)) return {Reason::local_answer, "current_setting"};
    // The grammar makes calls of functions that an older server does not have.
    if (function.schema == "pg_catalog") {
        if (auto const doubt = builtin_function_doubt(function.name)) return finding(*doubt, function.name);
    }
    auto doubt = doubts_.functions.doubt(function, node.args, path_);
    // FROM unnest(a, b) stands for ROWS FROM (unnest(a), unnest(b)).
    if (!doubt && function.name == "unnest" && node.args > 1) doubt = doubts_.functions.doubt(function, 1, path_);
    return finding(doubt.value_or(Reason::unknown_function), function.name);
}

bool NodeChecks::asks_for_local_setting(NodeText const& node) {
    if (node.names.empty() || node.names.back() != "current_setting") return false;
    if (!node.first_literal) return true;
    depends_on_literals_ = true;
    return check_setting(*node.first_literal).reason != Reason::read;
}

Finding NodeChecks::check_relation(NodeText const& node) {
    auto const relation = qualified(node.names);
    if (relation.schema.starts_with("pg_temp")) return {Reason::not_on_replica, std::string(relation.name)};
    relations_.push_back({std::string(relation.schema), std::string(relation.name)});
    return {};
}

Finding NodeChecks::check_operator(NodeText const& node) {
    // BETWEEN stands where an operator's symbol would.
    if (node.names.empty() || identifier_fold[static_cast<unsigned char>(node.names.back().front())] != 0) return {};
    if (doubts_.reach.has_operator(node.names.back())) touched_.add(Touched::all());
    auto const found = doubts_.operators.find(node.names.back());
    return finding(found == doubts_.operators.end() ? Reason::unknown_operator : found->second, node.names.back());
}

// t.name may be a call of name(t).
Finding NodeChecks::check_fields(std::span<std::string_view const> names) {
    for (auto const& name : names) {
        if (doubts_.reach.has_function(name)) touched_.add(Touched::all());
        auto const doubt = doubts_.functions.field_doubt(name);
        if (doubt != Reason::read) return finding(doubt, name);
    }
    return {};
}

Finding NodeChecks::finish_statement() {
    for (auto const& relation : relations_) {
        if (auto found = look_up(relation); found.reason != Reason::read) return found;
        touch(relation);
    }
    relations_.clear();
    common_tables_.clear();
    return finding(doubts_.on_any_statement, doubts_.on_any_statement_function);
}

// A common table's name may be a relation's as well, where that can not be seen: then it is one too many.
void NodeChecks::touch(Relation const& relation) {
    bool const is_catalog = relation.schema == "pg_catalog" || relation.schema == "information_schema" || relation.name.starts_with("pg_");
    bool const reaches_further = doubts_.reach.has_relation(relation.name) || (may_write_ && is_catalog);
    touched_.add(reaches_further ? Touched::all() : Touched{false, {std::hash<std::string>{}(relation.name)}});
}

Finding NodeChecks::look_up(Relation const& relation) const {
    auto const doubt = doubts_.relations.doubt({relation.schema, relation.name}, 0, path_);
    if (doubt) return finding(*doubt, relation.name);
    // Where a common table of that name can be seen is not looked at; a doubtful relation counts all the same.
    bool const is_common_table = relation.schema.empty() && common_tables_.contains(relation.name);
    return finding(is_common_table ? Reason::read : Reason::unknown_relation, relation.name);
}

}  // namespace pgtandem::sql
