#include "sql/catalog_doubts.hpp"

#include <algorithm>
#include <unordered_map>

#include "sql/builtins.hpp"
#include "sql/on_replica.hpp"
#include "sql/spread.hpp"

namespace pgtandem::sql {

namespace {

class DoubtsBuilder {
public:
    DoubtsBuilder(CatalogRows const& rows, FunctionOverrides const& overrides, CatalogFacts const& pins)
        : rows_(rows), overrides_(overrides), pins_(pins) {}

    Doubts build() {
        for (auto const& routine : rows_.routines) raise(own_[routine.name], own_doubt(routine));
        for (auto const& relation : rows_.relation_names) {
            spread_.raise(relations_[relation.oid], own_doubt(relation));
            if (relation.kind == 'm') stored_.insert(relation.oid);
            else if (rows_.locking_views.contains(relation.oid)) spread_.raise(relations_[relation.oid], Reason::locks_rows);
        }
        link_functions();
        link_relations();
        spread_.run();
        add_names();
        add_operators();
        for (auto const& function : rows_.anywhere) add_anywhere(function);
        // A replica's backend has its own run of it.
        for (auto const& function : rows_.on_login) raise_everywhere(Reason::session_state, function);
        doubts_.reach = Reach(rows_);
        doubts_.is_complete = !rows_.routines.empty();
        return std::move(doubts_);
    }

private:
    using ByText = std::unordered_map<std::string, Reason>;
    static Reason join(Reason a, Reason b) { return std::max(a, b); }
    using DoubtSpread = Spread<Reason, join>;
    using Node = DoubtSpread::Node;

    static bool raise(Reason& doubt, Reason to) {
        if (doubt >= to) return false;
        doubt = to;
        return true;
    }
    static Reason found(ByText const& doubts, std::string const& key) {
        auto const at = doubts.find(key);
        return at == doubts.end() ? Reason::read : at->second;
    }

    Reason own_doubt(CatalogRows::Routine const& routine) const {
        if (overrides_.primary.contains(routine.name)) return Reason::overridden;
        if (overrides_.read_only.contains(routine.name)) return Reason::read;
        if (routine.schema == "pg_catalog") {
            if (auto const doubt = builtin_function_doubt(routine.name)) return *doubt;
        }
        if (overrides_.pinning.contains(routine.name) || !default_pins(routine.name).empty())
            return Reason::side_effect;
        return routine.is_volatile ? Reason::volatile_function : Reason::read;
    }

    Reason own_doubt(CatalogRows::RelationName const& relation) const {
        if (std::string_view("ufS").find(relation.kind) != std::string_view::npos) return Reason::not_on_replica;
        bool const is_local = relation.schema == "pg_catalog" && is_local_relation(relation.name);
        return is_local ? Reason::local_answer : Reason::read;
    }

    // Of what goes by this name, by itself or by what its code does.
    Reason function_doubt(std::string const& name) const { return std::max(found(own_, name), through_.value(name)); }

    void link_call(std::string const& function, Node caller) {
        spread_.raise(caller, found(own_, function));
        spread_.link(through_[function], caller);
    }

    void link_functions() {
        for (auto const& [name, code] : rows_.code) {
            if (overrides_.read_only.contains(name)) continue;
            auto const caller = through_[name];
            bool const changes_session = code.runs_text || !pins_.operators_of(code).empty();
            if (code.is_too_long) spread_.raise(caller, Reason::too_long);
            else if (changes_session) spread_.raise(caller, Reason::session_state);
            for (auto const& callee : code.called) link_call(callee, caller);
            for (auto const& relation : code.named) spread_.link(relations_by_name_[relation], caller);
        }
        for (auto const& [name, callee] : rows_.calls) {
            if (!overrides_.read_only.contains(name)) link_call(callee, through_[name]);
        }
    }

    void link_relations() {
        for (auto const& use : rows_.uses) {
            if (use.mode == read_mode && !stored_.contains(use.relation)) link_call(use.function, relations_[use.relation]);
        }
        for (auto const& edge : rows_.edges) {
            if (edge.from_mode != read_mode || edge.to_mode != read_mode || stored_.contains(edge.from)) continue;
            spread_.link(relations_[edge.to], relations_[edge.from]);
        }
        for (auto const& relation : rows_.relation_names) spread_.link(relations_[relation.oid], relations_by_name_[relation.name]);
    }

    void add_names() {
        for (auto const& routine : rows_.routines) {
            auto doubt = own_doubt(routine);
            // Of PostgreSQL's own, all is said; a user's function of the same name does not change them.
            if (routine.schema != "pg_catalog") raise(doubt, through_.value(routine.name));
            doubts_.functions.add({routine.schema, routine.name}, routine.args_min, routine.args_max, doubt);
        }
        for (auto const& relation : rows_.relation_names)
            doubts_.relations.add({relation.schema, relation.name}, 0, 0, relations_.value(relation.oid));
        doubts_.functions.finish();
        doubts_.relations.finish();
    }

    void add_operators() {
        for (auto const& symbol : rows_.operator_symbols) doubts_.operators.emplace(symbol, Reason::read);
        for (auto const& [symbol, function] : rows_.operators) {
            raise(doubts_.operators[symbol], function_doubt(function));
            if (is_unnamed_operator(symbol)) add_anywhere(function);
        }
    }

    // Functions in C come with extensions; many that do nothing are VOLATILE for want of a word. Where they are named
    // that counts against them, but not against each statement of the database.
    void add_anywhere(std::string const& function) {
        if (overrides_.read_only.contains(function)) return;
        auto const doubt = pins_.function(function).empty() ? through_.value(function) : Reason::volatile_function;
        raise_everywhere(doubt, function);
    }

    void raise_everywhere(Reason doubt, std::string const& function) {
        if (raise(doubts_.on_any_statement, doubt)) doubts_.on_any_statement_function = function;
    }

    static constexpr std::size_t read_mode = 0;

    CatalogRows const& rows_;
    FunctionOverrides const& overrides_;
    CatalogFacts const& pins_;
    Doubts doubts_;
    ByText own_;
    DoubtSpread spread_;
    NamedNodes<DoubtSpread> through_{spread_};
    NamedNodes<DoubtSpread> relations_{spread_};  // by oid
    NamedNodes<DoubtSpread> relations_by_name_{spread_};
    CatalogRows::Names stored_;  // materialized views' oids: reading one runs nothing of what made it
};

}  // namespace

Doubts find_doubts(CatalogRows const& rows, FunctionOverrides const& overrides, CatalogFacts const& pins) {
    return DoubtsBuilder(rows, overrides, pins).build();
}

}  // namespace pgtandem::sql
