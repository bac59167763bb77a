#include "sql/on_replica.hpp"

#include <algorithm>
#include <iterator>

namespace pgtandem::sql {

namespace {

struct Builtin {
    std::string_view name;
    Reason doubt;
};

// Sorted by name.
constexpr Builtin functions[] = {
    {"array_sample", Reason::read},
    {"array_shuffle", Reason::read},
    {"bernoulli", Reason::read},
    {"clock_timestamp", Reason::read},
    {"current_query", Reason::read},
    {"currval", Reason::session_state},
    {"extract", Reason::read},  // made by the grammar; date_part before PostgreSQL 14
    {"gen_random_uuid", Reason::read},
    {"lastval", Reason::session_state},
    {"mxid_age", Reason::local_answer},
    {"nextval", Reason::side_effect},
    {"pg_advisory_lock", Reason::side_effect},
    {"pg_advisory_lock_shared", Reason::side_effect},
    {"pg_advisory_unlock", Reason::side_effect},
    {"pg_advisory_unlock_all", Reason::side_effect},
    {"pg_advisory_unlock_shared", Reason::side_effect},
    {"pg_advisory_xact_lock", Reason::side_effect},
    {"pg_advisory_xact_lock_shared", Reason::side_effect},
    {"pg_available_extension_versions", Reason::local_answer},  // of files
    {"pg_available_extensions", Reason::local_answer},
    {"pg_backend_pid", Reason::local_answer},
    {"pg_cancel_backend", Reason::side_effect},
    {"pg_conf_load_time", Reason::local_answer},
    {"pg_config", Reason::local_answer},
    {"pg_current_snapshot", Reason::local_answer},
    {"pg_current_wal_flush_lsn", Reason::local_answer},
    {"pg_current_wal_insert_lsn", Reason::local_answer},
    {"pg_current_wal_lsn", Reason::local_answer},
    {"pg_current_xact_id", Reason::local_answer},
    {"pg_current_xact_id_if_assigned", Reason::local_answer},
    {"pg_cursor", Reason::session_state},
    {"pg_export_snapshot", Reason::side_effect},
    {"pg_extension_update_paths", Reason::local_answer},
    {"pg_get_multixact_members", Reason::local_answer},
    {"pg_get_replication_slots", Reason::local_answer},
    {"pg_is_in_recovery", Reason::read},
    {"pg_is_other_temp_schema", Reason::session_state},
    {"pg_listening_channels", Reason::session_state},
    {"pg_lock_status", Reason::local_answer},
    {"pg_logical_emit_message", Reason::side_effect},
    {"pg_my_temp_schema", Reason::session_state},
    {"pg_notify", Reason::side_effect},
    {"pg_partition_ancestors", Reason::read},
    {"pg_partition_tree", Reason::read},
    {"pg_postmaster_start_time", Reason::local_answer},
    {"pg_prepared_statement", Reason::session_state},
    {"pg_reload_conf", Reason::side_effect},
    {"pg_show_all_settings", Reason::local_answer},
    {"pg_sleep", Reason::local_answer},  // who sleeps is looked for in pg_stat_activity
    {"pg_sleep_for", Reason::local_answer},
    {"pg_sleep_until", Reason::local_answer},
    {"pg_stat_file", Reason::local_answer},
    {"pg_tablespace_location", Reason::local_answer},
    {"pg_terminate_backend", Reason::side_effect},
    {"pg_try_advisory_lock", Reason::side_effect},
    {"pg_try_advisory_lock_shared", Reason::side_effect},
    {"pg_try_advisory_xact_lock", Reason::side_effect},
    {"pg_try_advisory_xact_lock_shared", Reason::side_effect},
    {"pg_walfile_name", Reason::not_on_replica},
    {"pg_walfile_name_offset", Reason::not_on_replica},
    {"random", Reason::read},
    {"random_normal", Reason::read},
    {"set_config", Reason::session_state},
    {"setseed", Reason::session_state},
    {"setval", Reason::side_effect},
    {"statement_timestamp", Reason::read},
    {"system", Reason::read},  // TABLESAMPLE's
    {"timeofday", Reason::read},
    {"txid_current", Reason::local_answer},
    {"txid_current_if_assigned", Reason::local_answer},
    {"txid_current_snapshot", Reason::local_answer},
    {"uuidv4", Reason::read},
    {"uuidv7", Reason::read},
};
static_assert(std::ranges::is_sorted(functions, {}, &Builtin::name));

// Sorted. Beside these, all pg_stat_... and pg_statio_...
constexpr std::string_view local_relations[] = {
    "pg_aios",
    "pg_available_extension_versions",
    "pg_available_extensions",
    "pg_backend_memory_contexts",
    "pg_config",
    "pg_cursors",
    "pg_file_settings",
    "pg_hba_file_rules",
    "pg_ident_file_mappings",
    "pg_locks",
    "pg_prepared_statements",
    "pg_prepared_xacts",
    "pg_replication_origin_status",
    "pg_replication_slots",
    "pg_sequences",  // has last_value: a replica is told of numbers before they are drawn
    "pg_settings",
    "pg_shmem_allocations",
    "pg_shmem_allocations_numa",
    "pg_wait_events",
};
static_assert(std::ranges::is_sorted(local_relations));

// Sorted. Of the settings that a session can change, those that hardly ever stand in a node's postgresql.conf, or that
// the client is told of; and what initdb fixed.
constexpr std::string_view portable_settings[] = {
    "application_name",
    "array_nulls",
    "backslash_quote",
    "block_size",
    "bytea_output",
    "client_encoding",
    "client_min_messages",
    "data_checksums",
    "datestyle",
    "default_transaction_isolation",
    "escape_string_warning",
    "extra_float_digits",
    "integer_datetimes",
    "intervalstyle",
    "is_superuser",
    "lc_collate",
    "lc_ctype",
    "lc_messages",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "max_function_args",
    "max_identifier_length",
    "max_index_keys",
    "role",
    "row_security",
    "search_path",
    "server_encoding",
    "server_version",
    "server_version_num",
    "session_authorization",
    "standard_conforming_strings",
    "timezone",
    "transaction_isolation",
    "xmlbinary",
    "xmloption",
};
static_assert(std::ranges::is_sorted(portable_settings));

}  // namespace

std::optional<Reason> builtin_function_doubt(std::string_view name) {
    auto const* const found = std::ranges::lower_bound(functions, name, {}, &Builtin::name);
    if (found != std::end(functions) && found->name == name) return found->doubt;
    for (std::string_view const prefix : {"pg_stat_get_", "pg_replication_origin_", "pg_last_wal_", "pg_ls_"}) {
        if (name.starts_with(prefix)) return Reason::local_answer;
    }
    if (name.starts_with("pg_logical_slot_")) return Reason::side_effect;
    return std::nullopt;
}

bool is_local_relation(std::string_view name) {
    // pg_stats and pg_stats_ext are of the catalog, as pg_statistic is.
    if (name.starts_with("pg_stat_") || name.starts_with("pg_statio_")) return true;
    return std::ranges::binary_search(local_relations, name);
}

bool is_portable_setting(std::string_view name) {
    // Those with a dot are the applications' own.
    if (name.find('.') != std::string_view::npos) return true;
    return std::ranges::binary_search(portable_settings, name);
}

}  // namespace pgtandem::sql
