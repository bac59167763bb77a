// From the rows of catalog_sections() to pins: who is suspect by itself, and who by what it touches.
#include <algorithm>
#include <array>
#include <map>

#include "sql/builtins.hpp"
#include "sql/catalog_doubts.hpp"
#include "sql/catalog_facts.hpp"
#include "sql/catalog_rows.hpp"

namespace pgtandem::sql {

class CatalogFactsBuilder {
public:
    CatalogFactsBuilder(CatalogRows const& rows, FunctionOverrides const& overrides)
        : rows_(rows), overrides_(overrides) {}

    CatalogFacts build() {
        for (auto const& name : rows_.volatile_functions) mark(name, Pin::unproven);
        apply_overrides();
        do {
            close_functions();
            add_relations();
        } while (close_bodies());
        for (auto const& function : rows_.anywhere) facts_.on_any_statement_ |= facts_.function(function);
        for (auto const& function : rows_.on_ddl) facts_.on_ddl_ |= facts_.function(function);
        facts_.doubts_ = find_doubts(rows_, overrides_, facts_);
        return std::move(facts_);
    }

private:
    // The pins of a relation by how it is touched: read, write, insert.
    using ByMode = std::array<Pins, 3>;

    void mark(std::string const& function, Pins pins) { facts_.known(function).function |= pins; }

    // Whether it is news.
    bool add_to(std::string const& function, Pins pins) {
        if (pins.minus(facts_.known(function).function).empty()) return false;
        mark(function, pins);
        return true;
    }

    void apply_overrides() {
        for (auto const& name : overrides_.pinning) mark(name, Pin::unproven);
        for (auto const& name : overrides_.harmless) facts_.known(name).is_harmless = true;
    }

    // Rounds until nothing changes; each adds a bit somewhere, so it ends.
    void close_functions() {
        for (bool changed = true; changed;) {
            changed = false;
            for (auto const& [name, code] : rows_.code) changed |= add_to(name, facts_.reading_code(code));
            for (auto const& [name, callee] : rows_.calls) changed |= add_to(name, facts_.function(callee));
        }
    }

    // Functions that may write do whatever the relations do that they name. True: something has been found that others may do
    // by calling or touching.
    bool close_bodies() {
        for (auto const& [symbol, function] : rows_.operators) add_operator(symbol, facts_.function(function));
        bool changed = false;
        for (auto const& [name, body] : rows_.bodies) changed |= add_to(name, facts_.code(body));
        for (auto const& [name, code] : rows_.code) changed |= add_to(name, facts_.reading_code(code));
        return changed;
    }

    void add_relations() {
        for (auto const& relation : rows_.relations) {
            auto& pins = relations_[relation.oid];
            if (relation.has_identity) pins[2] |= Pin::drawn_number;
        }
        for (auto const& use : rows_.uses) relations_[use.relation][use.mode] |= facts_.function(use.function);
        close_relations();
        for (auto const& relation : rows_.relations) add_pins(relation.name, relations_[relation.oid]);
    }

    void close_relations() {
        for (bool changed = true; changed;) {
            changed = false;
            for (auto const& edge : rows_.edges) {
                auto const from = relations_.find(edge.from);
                auto const to = relations_.find(edge.to);
                if (from == relations_.end() || to == relations_.end()) continue;
                auto& pins = from->second[edge.from_mode];
                auto const all = pins | to->second[edge.to_mode];
                changed |= !(all == pins);
                pins = all;
            }
        }
    }

    void add_pins(std::string const& name, ByMode const& pins) {
        auto const& [read, write, insert] = pins;
        facts_.on_maintenance_ |= write;
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
        if (symbol == "<>") facts_.operators_["!="] |= pins;
    }

    CatalogRows const& rows_;
    FunctionOverrides const& overrides_;
    CatalogFacts facts_;
    std::map<std::string, ByMode> relations_;
};

Result<CatalogFacts> CatalogFacts::from_rows(std::span<Row const> rows, FunctionOverrides const& overrides) {
    CatalogRows parsed;
    for (auto const& row : rows) PGTANDEM_CHECK(parsed.add(row));
    return CatalogFactsBuilder(parsed, overrides).build();
}

}  // namespace pgtandem::sql
