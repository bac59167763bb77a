// Why a statement goes where it goes: the words of SHOW ROUTES.
#pragma once
#include <cstdint>
#include <string_view>

namespace pgtandem::sql {

enum class Reason : std::uint8_t {
    read,  // the only one that speaks for a replica
    writes,
    ddl,
    transaction,  // BEGIN, COMMIT, SAVEPOINT ...
    locks_rows,   // FOR UPDATE and the like, LOCK
    select_into,
    hold_cursor,
    session_state,  // SET, PREPARE, LISTEN, set_config() ...
    side_effect,    // outside the transaction, or with another session: NOTIFY, advisory locks, files, dblink
    volatile_function,
    local_answer,    // differs from node to node
    not_on_replica,  // unlogged or foreign tables, sequences, temporary relations
    unknown_function,
    unknown_relation,
    unknown_operator,
    unknown_syntax,
    unparsable,
    too_long,
    catalog_unknown,
    overridden,    // the settings say so of a function
    hint_primary,  // the statement says so itself
    hint_replica,
};

// "volatile_function"
std::string_view name(Reason reason);

}  // namespace pgtandem::sql
