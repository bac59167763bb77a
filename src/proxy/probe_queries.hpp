// What the Prober asks the servers; prepared in each of its sessions, so that asking costs the servers little.
#pragma once
#include <cstdint>

namespace pgtandem::proxy {

// So many transactions beyond the primary's snapshot a replica is asked for at most.
inline constexpr std::uint64_t fence_reach = 1000;

// sample: of the primary; one that is a primary no more has no such positions, and gives an error. follow: of a replica.
// fence (xip, xmax): how far the replica shows, and which of the transactions beyond that snapshot of the primary are committed
// on it. A commit's status comes before the replica shows it, so its own snapshot decides too.
inline constexpr char const* probe_prologue = R"(
PREPARE sample AS SELECT pg_catalog.pg_current_wal_flush_lsn(), pg_catalog.pg_current_wal_insert_lsn(), pg_catalog.pg_current_snapshot();
PREPARE follow AS SELECT pg_catalog.pg_last_wal_replay_lsn();
PREPARE fence (bigint[], bigint) AS SELECT pg_catalog.pg_last_wal_replay_lsn(), here.xmax,
    (SELECT pg_catalog.string_agg(x::pg_catalog.text, ',') FROM (
        SELECT pg_catalog.unnest($1) UNION ALL SELECT pg_catalog.generate_series($2,
            least(here.xmax, $2 OPERATOR(pg_catalog.+) 1000) OPERATOR(pg_catalog.-) 1)) AS beyond (x)
     WHERE CASE WHEN x OPERATOR(pg_catalog.<) here.xmax
         THEN pg_catalog.pg_xact_status(x::pg_catalog.text::pg_catalog.xid8) OPERATOR(pg_catalog.=) 'committed' END)
FROM (SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text::bigint AS xmax) AS here)";

}  // namespace pgtandem::proxy
