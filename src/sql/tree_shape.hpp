// The shape of PostgreSQL's parse tree as far as statements that only read may have it: node types by the names in
// nodes/parsenodes.h and primnodes.h, their fields, and how each field is to be read. What is not here is not known to
// be harmless.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "sql/reason.hpp"

namespace pgtandem::sql {

enum class FieldKind : std::uint8_t {
    plain,       // numbers, words, true: nothing to look at
    node,        // a node or a list of nodes, each with its type's name around it
    arguments,   // as 'node', counted
    inner,       // a node of a known type, without the name around it; or a list of such
    names,       // a list of names; those of other nodes in it are looked at
    text,        // one name
    flag,        // remembered
    hold_flags,  // of DECLARE CURSOR
    refused,
    refused_in_reads,  // and else as 'node', or 'plain'
};

struct Field {  // NOLINT(clang-analyzer-optin.performance.Padding): in the order in which tables are read
    std::string_view name;
    FieldKind kind;
    std::string_view inner = {};             // the type, for 'inner'
    Reason reason = Reason::unknown_syntax;  // for 'refused'
};

// What is to be asked of the catalog when all of a node has been read.
enum class Check : std::uint8_t {
    none,
    constant,
    function,
    relation,
    common_table,
    operator_name,
    column,
    fields,
    sample,
    setting,
    statement,
    write,  // refused, but where what is written is looked for
};

struct NodeType {
    std::string_view name;
    std::span<Field const> fields;
    Check check = Check::none;

    Field const* find(std::string_view field) const;
};

NodeType const* find_node_type(std::string_view name);

// Why a statement of a type that is not here goes to the primary.
Reason reason_against(std::string_view node_type);

}  // namespace pgtandem::sql
