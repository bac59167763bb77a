// What a database's catalog says about functions, relations and operators that may change session state.
// A value: built from the rows of catalog_sections() on that database, then only read, by any thread.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "sql/doubts.hpp"
#include "sql/function_code.hpp"
#include "sql/lexer.hpp"
#include "sql/pins.hpp"

namespace pgtandem::sql {

// What the user knows better, by bare function names (folded).
struct FunctionOverrides {
    std::set<std::string, std::less<>> harmless = {};   // to the session's state
    std::set<std::string, std::less<>> pinning = {};
    std::set<std::string, std::less<>> read_only = {};  // whatever they call: they may run on a replica
    std::set<std::string, std::less<>> primary = {};    // on the primary only

    bool operator==(FunctionOverrides const&) const = default;
};

struct RelationPins {
    Pins on_read;
    Pins on_write;   // by INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY FROM
    Pins on_insert;  // in addition, where column defaults are put in

    bool operator==(RelationPins const&) const = default;
};

class CatalogFacts {
public:
    using Row = std::vector<std::optional<std::string>>;

    // Knows PostgreSQL's own functions only.
    CatalogFacts();
    static Result<CatalogFacts> from_rows(std::span<Row const> rows, FunctionOverrides const& overrides);

    // False for nearly all names that none of the following knows; cheap.
    bool may_know(Token const& name) const;
    Pins function(std::string_view name) const;
    RelationPins relation(std::string_view name) const;
    Pins operator_symbol(std::string_view symbol) const;
    // What a volatile function with this code may do: each name in it may be a function's or a relation's, and any operator
    // may be in it.
    Pins code(FunctionCode const& code) const;
    Pins operators_of(FunctionCode const& code) const;
    Pins on_any_statement() const {
        return on_any_statement_;
    }                                        // casts, domains and types are used without being named
    // What VACUUM, ANALYZE, CLUSTER and REINDEX may run, whatever they name: expressions of indexes and statistics.
    Pins on_maintenance() const { return on_maintenance_; }
    Pins on_ddl() const { return on_ddl_; }  // event triggers
    Doubts const& doubts() const { return doubts_; }
    std::size_t size() const { return names_.size() + operators_.size(); }

private:
    struct NameHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
    };
    struct NamePins {
        Pins function;
        bool is_harmless = false;  // the user says so
        RelationPins relation;
    };
    template <class Value>
    using ByName = std::unordered_map<std::string, Value, NameHash, std::equal_to<>>;

    friend class CatalogFactsBuilder;

    NamePins& known(std::string const& name);
    NamePins const* find(std::string_view name) const;

    std::array<std::uint64_t, 64> firsts_by_length_{};  // bit: first byte modulo 64
    ByName<NamePins> names_;
    ByName<Pins> operators_;
    Pins any_operator_;
    Pins on_any_statement_;
    Pins on_maintenance_;
    Pins on_ddl_;
    Doubts doubts_;
};

}  // namespace pgtandem::sql
