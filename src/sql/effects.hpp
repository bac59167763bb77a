// What one statement does to the state of its session. Everything is told before the statement runs:
// it happens if the statement succeeds.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "sql/pins.hpp"

namespace pgtandem::sql {

enum class Verb : std::uint8_t {
    other,  // none of the below, or not understood (then pinned as unproven)
    select,
    values,
    table,
    show,
    insert,
    update,
    delete_,
    merge,
    copy,
    explain,
    begin,
    commit,
    rollback,
    commit_prepared,
    rollback_prepared,
    prepare_transaction,
    savepoint,
    release,
    rollback_to,
    set,  // SET and SELECT set_config() alike where 'settings' has an entry; SET CONSTRAINTS too, without one
    set_transaction,
    reset,
    prepare,
    execute,
    deallocate,
    deallocate_all,
    discard_all,
    discard_other,
    listen,
    unlisten,
    unlisten_all,
    notify,
    declare,
    fetch,
    move,
    close,
    close_all,
    do_,
    call,
    load,
    lock,
    truncate,
    vacuum,  // and ANALYZE, CLUSTER, REINDEX, CHECKPOINT
    ddl,
};

// A change of one of the session's settings, to be brought along to another backend.
struct SettingChange {
    enum class Kind : std::uint8_t { set, set_local, reset, reset_all };

    Kind kind = Kind::set;
    // Folded: "role" for SET ROLE, "timezone" for SET TIME ZONE, "client_encoding" for SET NAMES; empty for reset_all.
    std::string name;
    // One statement without ';' that gives the same value to a fresh backend: "SET search_path TO a, b". Always
    // session-wide, even for set_local. Empty for the resets.
    std::string replay;

    bool operator==(SettingChange const&) const = default;
};

struct Effects {
    Verb verb = Verb::other;
    bool changes_catalog = false;  // DDL of any kind
    bool runs_code = false;        // of DDL: it may call functions, as CREATE TABLE AS or a new column's default does
    bool has_chain = false;        // COMMIT or ROLLBACK AND CHAIN
    bool is_plain_begin = false;   // BEGIN with nothing but known transaction modes: may be answered without a server
    bool sets_for_itself = false;  // settings that are not in 'settings', as they hold for its transaction alone: set_config(..., true)
    bool names_statement = false;  // 'name' is that of a prepared statement: EXECUTE, also within EXPLAIN and CREATE TABLE AS, and the like
    bool is_read_only = false;     // BEGIN or SET TRANSACTION, ending with READ ONLY in force
    Pins pins;
    Pins unpins;  // what is over once the statement's transaction has committed; taken away before 'pins' are added
    std::vector<SettingChange> settings;
    // Folded name of a savepoint, prepared statement, cursor, channel; of DDL: of the database in which nobody may be; or ""
    std::string name;
};

// Transaction control and settings: it reads nothing of the database and writes nothing by itself.
bool is_bookkeeping(Verb verb);
// What it does depends on what the catalog holds. Others do the same whatever was just created.
bool runs_on_catalog(Effects const& effects);

}  // namespace pgtandem::sql
