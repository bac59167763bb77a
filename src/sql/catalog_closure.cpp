// From the rows of catalog_sections() to pins: who is suspect by itself, and who by what it touches.
#include <array>
#include <unordered_map>

#include "sql/builtins.hpp"
#include "sql/catalog_doubts.hpp"
#include "sql/catalog_facts.hpp"
#include "sql/catalog_rows.hpp"
#include "sql/spread.hpp"

namespace pgtandem::sql {

class CatalogFactsBuilder {
public:
    CatalogFactsBuilder(CatalogRows const& rows, FunctionOverrides const& overrides)
        : rows_(rows), overrides_(overrides) {}

    CatalogFacts build() {
        for (auto const& name : rows_.volatile_functions) facts_.known(name).function |= Pin::unproven;
        apply_overrides();
        link_relations();
        link_operators();
        link_code();
        link_bodies();
        spread_.run();
        take_pins();
        for (auto const& function : rows_.anywhere) facts_.on_any_statement_ |= facts_.function(function);
        for (auto const& function : rows_.on_ddl) facts_.on_ddl_ |= facts_.function(function);
        // Whatever it does: it is to run for each client, and what it leaves is that client's.
        if (!rows_.on_login.empty()) facts_.on_any_statement_ |= Pin::login_trigger;
        facts_.doubts_ = find_doubts(rows_, overrides_, facts_);
        return std::move(facts_);
    }

private:
    static Pins join(Pins a, Pins b) { return a | b; }
    using PinSpread = Spread<Pins, join>;
    using Node = PinSpread::Node;
    // The pins of a relation by how it is touched: read, write, insert.
    using ByMode = std::array<Node, 3>;

    void apply_overrides() {
        for (auto const& name : overrides_.pinning) facts_.known(name).function |= Pin::unproven;
        for (auto const& name : overrides_.harmless) facts_.known(name).is_harmless = true;
    }

    Node function_node(std::string_view name) {
        auto const key = one_if_foreign(name);
        bool const is_new = !functions_.contains(key);
        auto const node = functions_[key];
        if (auto const* const entry = is_new ? facts_.find(key) : nullptr) spread_.raise(node, entry->function);
        return node;
    }

    // What calls it may do what it does.
    void link_call(std::string_view function, Node caller) {
        auto const* const entry = facts_.find(function);
        if (entry != nullptr && entry->is_harmless) return;
        auto const node = function_node(function);
        spread_.raise(node, pins_by_prefix(function));
        spread_.link(node, caller);
    }

    void link_operators() {
        for (auto const& [symbol, function] : rows_.operators) {
            auto const node = operators_[symbol];
            link_call(function, node);
            spread_.link(node, any_operator_);
            if (symbol == "<>") spread_.link(node, operators_["!="]);
        }
    }

    // PostgreSQL lets it run nothing but queries.
    void link_code() {
        for (auto const& [name, code] : rows_.code) {
            auto const caller = function_node(name);
            if (code.runs_text) {
                spread_.raise(caller, Pin::unproven);
                continue;
            }
            if (code.has_unknown_operators) spread_.link(any_operator_, caller);
            for (auto const& symbol : code.operators) spread_.link(operators_[symbol], caller);
            for (auto const& callee : code.called) link_call(callee, caller);
            for (auto const& named : code.named) spread_.link(read_relations_[one_if_foreign(named)], caller);
        }
        for (auto const& [name, callee] : rows_.calls) link_call(callee, function_node(name));
    }

    // Functions that may write do whatever the relations do that they name, and any operator may be in them.
    void link_bodies() {
        for (auto const& [name, body] : rows_.bodies) {
            auto const node = function_node(name);
            if (!body.is_tame) {
                spread_.raise(node, Pin::unproven);
                continue;
            }
            spread_.link(any_operator_, node);
            for (auto const& named : body.named) {
                link_call(named, node);
                spread_.link(named_relations_[one_if_foreign(named)], node);
                if (named.starts_with("pg_temp")) spread_.raise(node, Pin::temporary_table | Pin::unproven);
            }
        }
    }

    ByMode const& relation(std::string const& oid) {
        auto const [found, is_new] = relations_.try_emplace(oid);
        if (is_new) found->second = {spread_.add(), spread_.add(), spread_.add()};
        return found->second;
    }

    void link_relations() {
        for (auto const& known : rows_.relations) {
            auto const& modes = relation(known.oid);
            if (known.has_identity) spread_.raise(modes[2], Pin::drawn_number);
            auto const name = one_if_foreign(known.name);
            spread_.link(modes[0], read_relations_[name]);
            for (auto const mode : modes) spread_.link(mode, named_relations_[name]);
        }
        for (auto const& use : rows_.uses) link_call(use.function, relation(use.relation)[use.mode]);
        for (auto const& edge : rows_.edges) {
            auto const from = relations_.find(edge.from);
            auto const to = relations_.find(edge.to);
            if (from == relations_.end() || to == relations_.end()) continue;
            spread_.link(to->second[edge.to_mode], from->second[edge.from_mode]);
        }
    }

    void take_pins() {
        for (auto const& [name, node] : functions_.all()) {
            if (!spread_[node].empty()) facts_.known(name).function |= spread_[node];
        }
        for (auto const& known : rows_.relations) {
            auto const& modes = relation(known.oid);
            add_pins(known.name, modes);
            // Rules of views, as that of pg_settings, run for whoever names them.
            if (!known.is_view) facts_.on_maintenance_ |= spread_[modes[1]];
        }
        for (auto const& [symbol, node] : operators_.all()) add_operator(symbol, spread_[node]);
        facts_.any_operator_ = spread_[any_operator_];
    }

    void add_pins(std::string const& name, ByMode const& modes) {
        auto const read = spread_[modes[0]];
        auto const write = spread_[modes[1]];
        auto const insert = spread_[modes[2]];
        if ((read | write | insert).empty() || name.empty()) return;
        auto& known = facts_.known(name).relation;
        known.on_read |= read;
        known.on_write |= write;
        known.on_insert |= insert;
    }

    void add_operator(std::string const& symbol, Pins pins) {
        if (pins.empty()) return;
        facts_.any_operator_ |= pins;
        if (is_unnamed_operator(symbol)) facts_.on_any_statement_ |= pins;
        facts_.operators_[symbol] |= pins;
    }

    CatalogRows const& rows_;
    FunctionOverrides const& overrides_;
    CatalogFacts facts_;
    PinSpread spread_;
    NamedNodes<PinSpread> functions_{spread_};
    NamedNodes<PinSpread> operators_{spread_};  // all of a symbol
    NamedNodes<PinSpread> read_relations_{spread_};   // all of a name, where it is read
    NamedNodes<PinSpread> named_relations_{spread_};  // however touched
    std::unordered_map<std::string, ByMode> relations_;  // by oid
    Node any_operator_ = spread_.add();
};

Result<CatalogFacts> CatalogFacts::from_rows(std::span<Row const> rows, FunctionOverrides const& overrides) {
    CatalogRows parsed;
    for (auto const& row : rows) PGTANDEM_CHECK(parsed.add(row));
    return CatalogFactsBuilder(parsed, overrides).build();
}

}  // namespace pgtandem::sql
