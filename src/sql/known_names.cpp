#include "sql/known_names.hpp"

#include <algorithm>

#include "sql/lexer.hpp"

namespace pgtandem::sql {

namespace {

std::uint64_t hash(std::string_view name) { return std::hash<std::string_view>{}(one_if_foreign(name)); }

bool takes(std::uint8_t args_min, std::uint8_t args_max, std::size_t args) {
    return args >= args_min && (args <= args_max || args_max == KnownNames::any_number);
}

}  // namespace

std::uint32_t KnownNames::schema_index(std::string_view schema) {
    // The rows come schema by schema.
    if (schemas_.back() == schema) return static_cast<std::uint32_t>(schemas_.size() - 1);
    auto const [found, is_new] = schema_numbers_.try_emplace(std::string(schema), static_cast<std::uint32_t>(schemas_.size()));
    if (is_new) schemas_.emplace_back(schema);
    return found->second;
}

void KnownNames::add(QualifiedName const& name, std::uint8_t args_min, std::uint8_t args_max, Reason doubt) {
    objects_.push_back({hash(name.name), schema_index(one_if_foreign(name.schema)), args_min, args_max, doubt});
}

void KnownNames::finish() {
    std::ranges::sort(objects_);
    objects_.erase(std::unique(objects_.begin(), objects_.end()), objects_.end());
    thin_out(of_schema_max, [](Object const& a, Object const& b) { return a.name == b.name && a.schema == b.schema; });
    thin_out(of_name_max, [](Object const& a, Object const& b) { return a.name == b.name; });
    objects_.shrink_to_fit();
    schema_numbers_.clear();
}

template <class Same>
void KnownNames::thin_out(std::size_t most, Same same) {
    auto kept = objects_.begin();
    for (auto at = objects_.begin(); at != objects_.end();) {
        auto const end = std::find_if_not(at, objects_.end(), [&, first = *at](Object const& other) { return same(first, other); });
        // PostgreSQL's own, which come first, stay as they are.
        auto const own = std::find_if(at, end, [](Object const& object) { return object.schema != 0; });
        kept = std::move(at, own, kept);
        if (end - own > static_cast<std::ptrdiff_t>(most)) {
            auto const worst = std::ranges::max_element(own, end, {}, &Object::doubt)->doubt;
            bool const is_one_schema = std::ranges::all_of(own, end, [&](Object const& object) { return object.schema == own->schema; });
            *kept++ = {own->name, is_one_schema ? own->schema : any_schema, 0, any_number, worst};
        } else {
            kept = std::move(own, end, kept);
        }
        at = end;
    }
    objects_.erase(kept, objects_.end());
}

std::vector<KnownNames::Object>::const_iterator KnownNames::first_of(std::uint64_t name) const {
    return std::ranges::lower_bound(objects_, name, {}, &Object::name);
}

bool KnownNames::may_be_meant(Object const& object, std::string_view schema, SearchPath const& path) const {
    if (object.schema == any_schema) return true;
    if (!schema.empty()) return schemas_[object.schema] == one_if_foreign(schema);
    if (object.schema == 0 || !path) return true;
    return std::ranges::any_of(*path, [&](auto const& own) { return schemas_[object.schema] == one_if_foreign(own); });
}

std::optional<Reason> KnownNames::doubt(QualifiedName const& name, std::size_t args, SearchPath const& path) const {
    auto const key = hash(name.name);
    std::optional<Reason> worst;
    for (auto at = first_of(key); at != objects_.end() && at->name == key; ++at) {
        if (!takes(at->args_min, at->args_max, args) || !may_be_meant(*at, name.schema, path)) continue;
        worst = std::max(worst.value_or(Reason::read), at->doubt);
    }
    return worst;
}

Reason KnownNames::field_doubt(std::string_view name) const {
    auto const key = hash(name);
    auto worst = Reason::read;
    for (auto at = first_of(key); at != objects_.end() && at->name == key; ++at) {
        if (at->schema != 0 && takes(at->args_min, at->args_max, 1)) worst = std::max(worst, at->doubt);
    }
    return worst;
}

}  // namespace pgtandem::sql
