// The functions, or the relations, of a database by schema and name, and what speaks against each on a replica.
// 16 bytes an object, no text but the schemas': a database with 100,000 of them stays small.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/reason.hpp"

namespace pgtandem::sql {

// The schemas of search_path as far as they exist, in order, "$user" replaced; nothing where it is not known.
using SearchPath = std::optional<std::vector<std::string>>;

// As written; no schema where there is none.
struct QualifiedName {
    std::string_view schema;
    std::string_view name;
};

class KnownNames {
public:
    static constexpr std::uint8_t any_number = 255;  // of arguments

    void add(QualifiedName const& name, std::uint8_t args_min, std::uint8_t args_max, Reason doubt);
    // Once, when all are added; before that nothing is found.
    void finish();

    // 'read' where each object that may be meant is harmless, else what speaks against one; nothing where there is no
    // such object. PostgreSQL chooses among functions of all schemas of the path by their arguments' types, which are
    // not looked at: any that takes so many may be meant.
    std::optional<Reason> doubt(QualifiedName const& name, std::size_t args, SearchPath const& path) const;
    // What speaks against a function that t.name may call: one of the database's own with one argument.
    Reason field_doubt(std::string_view name) const;

    std::size_t size() const { return objects_.size(); }

private:
    struct Object {
        std::uint64_t name;
        std::uint32_t schema;
        std::uint8_t args_min;
        std::uint8_t args_max;
        Reason doubt;
        auto operator<=>(Object const&) const = default;  // NOLINT(modernize-use-nullptr): of clang-tidy's own making
    };

    std::vector<Object>::const_iterator first_of(std::uint64_t name) const;
    bool may_be_meant(Object const& object, std::string_view schema, SearchPath const& path) const;
    std::uint32_t schema_index(std::string_view schema);

    std::vector<Object> objects_;
    std::vector<std::string> schemas_{"pg_catalog"};
};

}  // namespace pgtandem::sql
