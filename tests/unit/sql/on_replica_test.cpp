#include "sql/on_replica.hpp"

#include "unit/sql/verdict_case.hpp"

namespace pgtandem::sql {
namespace {

constexpr VerdictCase wrongly[] = {
    {Reason::side_effect, "SELECT nextval('s')"},
    {Reason::side_effect, "SELECT setval('s', 1)"},
    {Reason::session_state, "SELECT currval('s')"},
    {Reason::session_state, "SELECT lastval()"},
    {Reason::session_state, "SELECT set_config('a.b', 'c', false)"},
    {Reason::session_state, "SELECT setseed(0.5)"},
    {Reason::side_effect, "SELECT pg_advisory_lock(1)"},
    {Reason::side_effect, "SELECT pg_try_advisory_xact_lock(1)"},
    {Reason::side_effect, "SELECT pg_notify('a', 'b')"},
    {Reason::side_effect, "SELECT pg_terminate_backend(1)"},
    {Reason::side_effect, "SELECT pg_export_snapshot()"},
    {Reason::side_effect, "SELECT dblink('a')"},
    {Reason::volatile_function, "SELECT lo_creat(-1)"},
    {Reason::volatile_function, "SELECT pg_relation_size('items')"},
    {Reason::side_effect, "SELECT query_to_xml('delete from items', true)"},
    {Reason::local_answer, "SELECT pg_backend_pid()"},
    {Reason::local_answer, "SELECT pg_stat_get_numscans(1)"},
    {Reason::local_answer, "SELECT pg_current_wal_lsn()"},
    {Reason::local_answer, "SELECT pg_last_wal_replay_lsn()"},
    {Reason::local_answer, "SELECT txid_current()"},
    {Reason::not_on_replica, "SELECT pg_walfile_name('0/1')"},
    {Reason::read, "SELECT current_setting('search_path'), current_setting('app.user', true)"},
    {Reason::local_answer, "SELECT current_setting('port')"},
    {Reason::local_answer, "SELECT current_setting('Port', true)"},
    {Reason::local_answer, "SELECT current_setting(a) FROM items"},
};

TEST(on_replica, functions_that_succeed_wrongly_on_a_replica) { expect_verdicts(wrongly); }

}  // namespace
}  // namespace pgtandem::sql
