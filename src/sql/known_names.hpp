// The functions, or the relations, of a database by schema and name, and what speaks against each on a replica.
// 16 bytes an object, no text but the schemas': a database with 100,000 of them stays small.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
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

    // Each statement that has a name looks at all of that name. Where a user has made more of them, in one schema or in all, one that
    // stands for all is left.
    static constexpr std::size_t of_schema_max = 8;
    static constexpr std::size_t of_name_max = 64;

private:
    static constexpr std::uint32_t any_schema = UINT32_MAX;

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
    // Of objects that 'same' says belong together, where there are more than so many.
    template <class Same>
    void thin_out(std::size_t most, Same same);

    std::vector<Object> objects_;
    std::vector<std::string> schemas_{"pg_catalog"};
    std::unordered_map<std::string, std::uint32_t> schema_numbers_{{"pg_catalog", 0}};  // until finish()
};

}  // namespace pgtandem::sql
