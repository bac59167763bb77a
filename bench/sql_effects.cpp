// What sql/ costs on each statement of each client.
#include <benchmark/benchmark.h>

#include "sql/analyze.hpp"
#include "sql/fingerprint.hpp"

namespace {

using namespace pgtandem::sql;

constexpr std::string_view point_read = "SELECT abalance FROM pgbench_accounts WHERE aid = 1234567;";

void fingerprint_point_read(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(fingerprint(point_read, true, 42));
}
BENCHMARK(fingerprint_point_read);

void analyze_point_read(benchmark::State& state) {
    CatalogFacts const facts;
    for (auto _ : state) benchmark::DoNotOptimize(analyze(point_read, true, facts));
}
BENCHMARK(analyze_point_read);

}  // namespace

BENCHMARK_MAIN();
