// The rows of catalog_sections() as values, by kind; what they mean stands over the query.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "sql/function_code.hpp"

namespace pgtandem::sql {

struct CatalogRows {
    using Row = std::vector<std::optional<std::string>>;
    using Names = std::set<std::string, std::less<>>;

    // Ways of touching a relation: 0 read, 1 write, 2 insert.
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
        std::string oid;
        std::string name;
        bool has_identity;
        bool is_view;
    };
    struct Routine {
        std::string schema;
        std::string name;
        std::uint8_t args_min;
        std::uint8_t args_max;
        bool is_volatile;
    };
    struct RelationName {
        std::string schema;
        std::string name;
        std::string oid;
        char kind;  // pg_class.relkind; 'u' for what is unlogged
    };

    std::vector<std::string> volatile_functions;  // of which anything is to be expected
    std::multimap<std::string, FunctionCode> bodies;  // of other volatile ones
    std::multimap<std::string, FunctionCode> code;    // of those that are not volatile
    std::vector<std::pair<std::string, std::string>> calls;  // apart from their code
    std::vector<Relation> relations;
    std::vector<Use> uses;
    std::vector<Edge> edges;
    Names locking_views;  // by oid
    std::vector<std::pair<std::string, std::string>> operators;  // symbol, function
    Names anywhere;
    Names on_ddl;
    Names on_login;
    std::vector<Routine> routines;
    std::vector<RelationName> relation_names;
    std::vector<std::string> operator_symbols;

    Status add(Row const& row);

private:
    // Of all code together so much is read; of the rest anything is to be expected.
    static constexpr std::size_t code_bytes_max = 32 << 20;

    FunctionCode read_code(std::string const& text, bool is_foreign);
    Status add_link(std::string const& kind, std::string from, std::string to, std::string const& modes);
    Status add_listed(std::string const& kind, std::string const& subject, std::string const& detail);

    std::size_t code_bytes_ = 0;
};

}  // namespace pgtandem::sql
