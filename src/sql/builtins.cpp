#include "sql/builtins.hpp"

#include <algorithm>

namespace pgtandem::sql {

std::span<PinningFunction const> pinning_functions() {
    static constexpr PinningFunction all[] = {
        {"set_config", Pin::unproven},
        {"set_limit", Pin::unproven},  // of pg_trgm: it sets pg_trgm.similarity_threshold
        {"pg_start_backup", Pin::unproven},
        {"pg_backup_start", Pin::unproven},  // the backup is its session's
        {"setseed", Pin::unproven},
        {"pg_advisory_lock", Pin::advisory_lock},
        {"pg_advisory_lock_shared", Pin::advisory_lock},
        {"pg_try_advisory_lock", Pin::advisory_lock},
        {"pg_try_advisory_lock_shared", Pin::advisory_lock},
        {"nextval", Pin::drawn_number},
        {"setval", Pin::drawn_number},
        {"currval", Pin::sequence},
        {"lastval", Pin::sequence},
        {"pg_backend_pid", Pin::backend_identity},
        {"pg_stat_force_next_flush", Pin::backend_identity},  // of what this backend has counted
        {"pg_prepared_statement", Pin::statement_names},
        {"query_to_xml", Pin::unproven},
        {"query_to_xmlschema", Pin::unproven},
        {"query_to_xml_and_xmlschema", Pin::unproven},
        {"table_to_xml", Pin::unproven},
        {"table_to_xmlschema", Pin::unproven},
        {"table_to_xml_and_xmlschema", Pin::unproven},
        {"cursor_to_xml", Pin::unproven},
        {"cursor_to_xmlschema", Pin::unproven},
        {"schema_to_xml", Pin::unproven},
        {"schema_to_xmlschema", Pin::unproven},
        {"schema_to_xml_and_xmlschema", Pin::unproven},
        {"database_to_xml", Pin::unproven},
        {"database_to_xmlschema", Pin::unproven},
        {"database_to_xml_and_xmlschema", Pin::unproven},
        {"ts_stat", Pin::unproven},
        {"ts_rewrite", Pin::unproven},
        {"pg_replication_origin_session_setup", Pin::replication},
        {"pg_replication_origin_session_reset", Pin::replication},
        {"pg_replication_origin_session_progress", Pin::replication},
        {"pg_replication_origin_session_is_setup", Pin::replication},
        {"pg_create_physical_replication_slot", Pin::replication},
        {"pg_create_logical_replication_slot", Pin::replication},
        {"pg_copy_physical_replication_slot", Pin::replication},
        {"pg_copy_logical_replication_slot", Pin::replication},
        {"connectby", Pin::unproven},
        {"xpath_table", Pin::unproven},
    };
    return all;
}

Pins pins_by_prefix(std::string_view name) {
    for (std::string_view const prefix : {"dblink", "crosstab", "connectby"}) {
        if (name.starts_with(prefix)) return Pin::unproven;
    }
    return {};
}

Pins default_pins(std::string_view name) {
    auto const all = pinning_functions();
    auto const found = std::ranges::find(all, name, &PinningFunction::name);
    return (found == all.end() ? Pins() : found->pins) | pins_by_prefix(name);
}

bool is_unnamed_operator(std::string_view symbol) {
    static constexpr std::string_view all[] = {"=", "<>", "<", "<=", ">", ">=", "~~", "~~*", "!~~", "!~~*", "~"};
    return std::ranges::find(all, symbol) != std::end(all);
}

}  // namespace pgtandem::sql
