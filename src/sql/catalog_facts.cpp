#include "sql/catalog_facts.hpp"

#include <algorithm>

#include "sql/builtins.hpp"

namespace pgtandem::sql {

namespace {

// PostgreSQL cuts longer names.
constexpr std::size_t name_length_max = 63;

std::uint64_t first_bit(char c) { return std::uint64_t{1} << (static_cast<unsigned char>(c) & 63U); }

}  // namespace

CatalogFacts::CatalogFacts() {
    for (auto const& entry : pinning_functions()) known(std::string(entry.name)).function = entry.pins;
    // What the scan looks for by itself: pg_temp, pg_temp_12, pg_prepared_statements, pg_advisory_unlock_all; and
    // families.
    for (auto& firsts : firsts_by_length_) firsts |= first_bit('p') | first_bit('d') | first_bit('c');
}

CatalogFacts::NamePins& CatalogFacts::known(std::string const& name) {
    if (!name.empty()) firsts_by_length_[std::min(name.size(), name_length_max)] |= first_bit(name.front());
    return names_[std::string(one_if_foreign(name))];
}

bool CatalogFacts::may_know(Token const& name) const {
    if (name.kind != Token::Kind::word || name.text.size() > name_length_max) return true;
    auto const first = static_cast<unsigned char>(name.text.front());
    if (first >= 0x80) return true;
    auto const folded = static_cast<char>(identifier_fold[first]);
    return (firsts_by_length_[name.text.size()] & first_bit(folded)) != 0 || one_if_foreign(name.text) != name.text;
}

CatalogFacts::NamePins const* CatalogFacts::find(std::string_view name) const {
    auto const found = names_.find(one_if_foreign(name));
    return found == names_.end() ? nullptr : &found->second;
}

Pins CatalogFacts::function(std::string_view name) const {
    auto const* const entry = find(name);
    if (entry != nullptr && entry->is_harmless) return {};
    return (entry != nullptr ? entry->function : Pins()) | pins_by_prefix(name);
}

RelationPins CatalogFacts::relation(std::string_view name) const {
    auto const* const entry = find(name);
    return entry != nullptr ? entry->relation : RelationPins{};
}

Pins CatalogFacts::code(FunctionCode const& code) const {
    if (!code.is_tame) return Pin::unproven;
    Pins pins = any_operator_;
    for (auto const& name : code.named) {
        auto const [on_read, on_write, on_insert] = relation(name);
        pins |= function(name) | on_read | on_write | on_insert;
        if (name.starts_with("pg_temp")) pins |= Pin::temporary_table | Pin::unproven;
    }
    return pins;
}

Pins CatalogFacts::operators_of(FunctionCode const& code) const {
    if (code.has_unknown_operators) return any_operator_;
    Pins pins;
    for (auto const& symbol : code.operators) pins |= operator_symbol(symbol);
    return pins;
}

Pins CatalogFacts::operator_symbol(std::string_view symbol) const {
    if (operators_.empty()) return {};
    auto const found = operators_.find(symbol);
    return found == operators_.end() ? Pins() : found->second;
}

}  // namespace pgtandem::sql
