// From the rows of catalog_query() to facts: who is suspect by itself, and who by what it touches.
#include <algorithm>
#include <map>
#include <set>

#include "sql/catalog_facts.hpp"

namespace pgtandem::sql {

namespace {

// The pins of a relation by how it is touched: read, write, insert.
using ByMode = std::array<Pins, 3>;

std::optional<std::size_t> mode_index(char letter) {
    auto const index = std::string_view("rwi").find(letter);
    return index == std::string_view::npos ? std::nullopt : std::optional(index);
}

struct Use {
    std::string relation;
    std::string function;
    std::size_t mode;
};

struct Edge {
    std::string from;
    std::string to;
    std::size_t from_mode;
    std::size_t to_mode;
};

struct Relation {
    std::string name;
    ByMode pins;
};

// The names that a function's code may call: every one that stands before "(".
std::set<std::string> called_names(std::string_view code) {
    std::set<std::string> names;
    Lexer lexer(code, true);
    for (Token before{}, token = lexer.next(); token.kind != Token::Kind::end; before = token, token = lexer.next()) {
        if (token.is('(') && before.is_name()) names.insert(identifier_text(before));
        // Behind a string that does not end, or in one, nothing is known: such code is searched as a text of its own.
        if (token.kind == Token::Kind::broken) break;
        if (token.kind != Token::Kind::string) continue;
        auto const inside = token.text.substr(1);
        for (Lexer inner(inside, true);;) {
            auto const word = inner.next();
            if (word.kind == Token::Kind::end || word.kind == Token::Kind::broken) break;
            if (word.is_name()) names.insert(identifier_text(word));
        }
    }
    return names;
}

}  // namespace

class CatalogFactsBuilder {
public:
    explicit CatalogFactsBuilder(FunctionOverrides const& overrides) : overrides_(overrides) {}

    Status add(CatalogFacts::Row const& row) {
        if (row.size() != 4 || !row[0])
            return fail("reading the catalog", "a row of the facts", "it has not four columns");
        auto const text = [&](std::size_t column) { return row[column].value_or(""); };
        auto const detail = text(3);
        if (*row[0] == "function")
            mark(text(1), Pin::unproven);
        else if (*row[0] == "code")
            calls_.emplace(text(1), called_names(detail));
        else if (*row[0] == "calls")
            calls_.emplace(text(1), std::set{text(2)});
        else if (*row[0] == "relation")
            add_relation(text(1), text(2), detail == "identity");
        else if (*row[0] == "operator")
            operators_.emplace_back(text(1), text(2));
        else if (*row[0] == "anywhere")
            anywhere_.insert(text(1));
        else if (*row[0] == "on_ddl")
            on_ddl_.insert(text(1));
        else
            return add_link(*row[0], text(1), text(2), detail);
        return {};
    }

    CatalogFacts build() {
        apply_overrides();
        close_functions();
        for (auto const& use : uses_) relations_[use.relation].pins[use.mode] |= facts_.function(use.function);
        close_relations();
        for (auto const& [oid, relation] : relations_) add_pins(relation);
        for (auto const& [symbol, function] : operators_) add_operator(symbol, facts_.function(function));
        for (auto const& function : anywhere_) facts_.on_any_statement_ |= facts_.function(function);
        for (auto const& function : on_ddl_) facts_.on_ddl_ |= facts_.function(function);
        return std::move(facts_);
    }

private:
    void mark(std::string const& function, Pins pins) { facts_.known(function).function |= pins; }

    void add_relation(std::string const& oid, std::string name, bool has_identity) {
        auto& relation = relations_[oid];
        relation.name = std::move(name);
        if (has_identity) relation.pins[2] |= Pin::sequence;
    }

    Status add_link(std::string const& kind, std::string const& from, std::string const& to, std::string const& modes) {
        auto const first = modes.empty() ? std::nullopt : mode_index(modes.front());
        auto const last = modes.empty() ? std::nullopt : mode_index(modes.back());
        if (!first || !last)
            return fail("reading the catalog", kind, "unknown way of touching a relation: '" + modes + "'");
        if (kind == "uses")
            uses_.push_back({from, to, *first});
        else if (kind == "edge")
            edges_.push_back({from, to, *first, *last});
        else
            return fail("reading the catalog", kind, "unknown kind of row");
        return {};
    }

    void apply_overrides() {
        for (auto const& name : overrides_.pinning) mark(name, Pin::unproven);
        for (auto const& name : overrides_.harmless) facts_.known(name).is_harmless = true;
    }

    // Rounds until nothing changes; each adds a bit somewhere, so it ends.
    void close_functions() {
        for (bool changed = true; changed;) {
            changed = false;
            for (auto const& [name, callees] : calls_) {
                Pins pins;
                for (auto const& callee : callees) pins |= facts_.function(callee);
                if (pins.minus(facts_.known(name).function).empty()) continue;
                mark(name, pins);
                changed = true;
            }
        }
    }

    void close_relations() {
        for (bool changed = true; changed;) {
            changed = false;
            for (auto const& edge : edges_) {
                auto const from = relations_.find(edge.from);
                auto const to = relations_.find(edge.to);
                if (from == relations_.end() || to == relations_.end()) continue;
                auto& pins = from->second.pins[edge.from_mode];
                auto const all = pins | to->second.pins[edge.to_mode];
                changed |= !(all == pins);
                pins = all;
            }
        }
    }

    void add_pins(Relation const& relation) {
        auto const& [read, write, insert] = relation.pins;
        if ((read | write | insert).empty() || relation.name.empty()) return;
        auto& known = facts_.known(relation.name).relation;
        known.on_read |= read;
        known.on_write |= write;
        known.on_insert |= insert;
    }

    // The grammar has words for the common operators: IN, BETWEEN, LIKE, ORDER BY ...
    void add_operator(std::string const& symbol, Pins pins) {
        if (pins.empty()) return;
        static constexpr std::string_view unnamed[] = {
            "=", "<>", "<", "<=", ">", ">=", "~~", "~~*", "!~~", "!~~*", "~"};
        if (std::ranges::find(unnamed, symbol) != std::end(unnamed)) facts_.on_any_statement_ |= pins;
        facts_.operators_[symbol] |= pins;
        if (symbol == "<>") facts_.operators_["!="] |= pins;
    }

    FunctionOverrides const& overrides_;
    CatalogFacts facts_;
    std::multimap<std::string, std::set<std::string>> calls_;
    std::map<std::string, Relation> relations_;
    std::vector<Use> uses_;
    std::vector<Edge> edges_;
    std::vector<std::pair<std::string, std::string>> operators_;
    std::set<std::string> anywhere_;
    std::set<std::string> on_ddl_;
};

Result<CatalogFacts> CatalogFacts::from_rows(std::span<Row const> rows, FunctionOverrides const& overrides) {
    CatalogFactsBuilder builder(overrides);
    for (auto const& row : rows) PGTANDEM_CHECK(builder.add(row));
    return builder.build();
}

}  // namespace pgtandem::sql
