// What it costs to say whether a statement may run on a replica: known by its fingerprint, and not known yet.
#include <benchmark/benchmark.h>

#include <stdexcept>
#include <unordered_map>

#include "sql/fingerprint.hpp"
#include "sql/hint.hpp"
#include "sql/verdict.hpp"

namespace {

using namespace pgtandem::sql;

constexpr std::string_view one_line = "SELECT abalance FROM pgbench_accounts WHERE aid = 1234567;";
constexpr std::string_view report = R"(
    WITH sold AS (
        SELECT o.customer_id, date_trunc('month', o.placed_at) AS month, sum(l.price * l.quantity) AS amount, count(DISTINCT o.id) AS orders
        FROM orders o JOIN order_lines l ON l.order_id = o.id
        WHERE o.placed_at >= '2026-01-01' AND o.placed_at < '2027-01-01' AND o.state NOT IN ('cancelled', 'returned')
        GROUP BY o.customer_id, date_trunc('month', o.placed_at)
    ), ranked AS (
        SELECT s.*, rank() OVER (PARTITION BY s.month ORDER BY s.amount DESC) AS place,
            lag(s.amount) OVER (PARTITION BY s.customer_id ORDER BY s.month) AS before
        FROM sold s
    )
    SELECT c.name, coalesce(c.region, 'none') AS region, r.month::date, r.amount, r.orders, r.place,
        CASE WHEN r.before IS NULL THEN NULL WHEN r.before = 0 THEN 0 ELSE round(100 * (r.amount - r.before) / r.before, 1) END AS change
    FROM ranked r JOIN customers c ON c.id = r.customer_id LEFT JOIN regions g ON g.name = c.region
    WHERE r.place <= 10 AND EXISTS (SELECT 1 FROM contacts k WHERE k.customer_id = c.id AND k.mail LIKE '%@%')
    ORDER BY r.month, r.place, lower(c.name) LIMIT 100)";

CatalogFacts const& facts() {
    static CatalogFacts const all = [] {
        std::vector<CatalogFacts::Row> const rows{
            {"routines",
             "pg_catalog",
             {},
             "0 0 i count\n1 1 i count\n0 0 i rank\n1 1 i lag\n1 1 i sum\n1 1 i lower\n2 2 i date_trunc\n2 2 i round"},
            {"relations",
             "public",
             {},
             "1r pgbench_accounts\n2r orders\n3r order_lines\n4r customers\n5r regions\n6r contacts"},
            {"operators", {}, {}, "=\n<>\n<\n>\n<=\n>=\n+\n-\n*\n/\n~~"}};
        auto made = CatalogFacts::from_rows(rows, {});
        if (!made) throw std::runtime_error(made.error().line());
        if (auto const found = verdict(report, true, *made, {}); !found.may_read)
            throw std::runtime_error(found.detail);
        return *made;
    }();
    return all;
}

void known(benchmark::State& state, std::string_view text) {
    constexpr std::uint64_t seed = 42;
    std::unordered_map<std::uint64_t, Verdict> verdicts;
    verdicts[fingerprint(text, true, seed)] = verdict(text, true, facts(), {});
    for (auto _ : state) benchmark::DoNotOptimize(verdicts.find(fingerprint(text, true, seed)));
}
BENCHMARK_CAPTURE(known, one_line, one_line);
BENCHMARK_CAPTURE(known, report, report);

void unknown(benchmark::State& state, std::string_view text) {
    for (auto _ : state) benchmark::DoNotOptimize(verdict(text, true, facts(), {}));
}
BENCHMARK_CAPTURE(unknown, one_line, one_line);
BENCHMARK_CAPTURE(unknown, report, report);

void hint(benchmark::State& state, std::string_view text) {
    for (auto _ : state) benchmark::DoNotOptimize(read_hint(text, true));
}
BENCHMARK_CAPTURE(hint, one_line, one_line);
BENCHMARK_CAPTURE(hint, report, report);

}  // namespace

BENCHMARK_MAIN();
