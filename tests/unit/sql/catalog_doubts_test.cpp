#include "sql/catalog_doubts.hpp"

#include "unit/sql/verdict_case.hpp"

namespace pgtandem::sql {
namespace {

constexpr VerdictCase relations[] = {
    {Reason::read, "SELECT * FROM items i JOIN orders o USING (id) LEFT JOIN pg_class c ON true"},
    {Reason::read, "SELECT * FROM plain_view, information_schema.tables, pg_stats, pg_statistic"},
    {Reason::read, "SELECT * FROM stored"},
    {Reason::read, "WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b, (SELECT * FROM a) s"},
    {Reason::read,
     "WITH RECURSIVE a (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM a) CYCLE n SET c USING p SELECT * FROM a"},
    {Reason::not_on_replica, "SELECT * FROM counters", "counters"},
    {Reason::not_on_replica, "SELECT * FROM remote"},
    {Reason::not_on_replica, "SELECT * FROM remote_view"},
    {Reason::not_on_replica, "SELECT * FROM parts"},
    {Reason::not_on_replica, "SELECT last_value FROM items_id_seq"},
    {Reason::not_on_replica, "COPY counters TO STDOUT"},
    {Reason::not_on_replica, "SELECT * FROM pg_temp.items"},
    {Reason::not_on_replica, "SELECT 1 WHERE EXISTS (SELECT FROM counters)"},
    {Reason::not_on_replica, "WITH counters AS (SELECT 1) SELECT * FROM counters"},
    {Reason::volatile_function, "SELECT * FROM writing_view", "writing_view"},
    {Reason::locks_rows, "SELECT * FROM locking_view", "locking_view"},
    {Reason::locks_rows, "SELECT * FROM through_locking", "through_locking"},
    {Reason::side_effect, "SELECT * FROM guarded"},
    {Reason::local_answer, "SELECT * FROM pg_stat_activity"},
    {Reason::local_answer, "SELECT * FROM activity"},
    {Reason::local_answer, "SELECT * FROM pg_catalog.pg_locks"},
    {Reason::local_answer, "SELECT setting FROM pg_settings"},
    {Reason::local_answer, "SELECT * FROM pg_sequences"},
    {Reason::unknown_relation, "SELECT * FROM no_such", "no_such"},
    {Reason::unknown_relation, "WITH a AS (SELECT 1) SELECT 1; SELECT * FROM a"},
    {Reason::unknown_relation, "WITH a AS (SELECT 1) SELECT * FROM public.a"},
    {Reason::unknown_relation, "SELECT * FROM app.orders"},
    {Reason::not_on_replica, "SELECT * FROM app.items"},
    {Reason::read, "SELECT * FROM public.items, app.users"},
};

TEST(catalog_doubts, relations) { expect_verdicts(relations); }

constexpr VerdictCase operators[] = {
    {Reason::read, "SELECT 1 + 2, 1 OPERATOR(pg_catalog.-) 2, 'a' || 'b', 1 <=> 2"},
    {Reason::volatile_function, "SELECT 1 <-> 2", "<->"},
    {Reason::volatile_function, "SELECT a FROM items ORDER BY a USING <->"},
    {Reason::volatile_function, "SELECT 1 <-> ANY (ARRAY[1])"},
    {Reason::volatile_function, "SELECT 1 <-> ALL (SELECT 1)"},
    {Reason::unknown_operator, "SELECT 1 <#> 2", "<#>"},
};

TEST(catalog_doubts, operators) { expect_verdicts(operators); }

}  // namespace
}  // namespace pgtandem::sql
