// A line of pg_basebackup --progress.
#include "instance/initialize.hpp"
#include "support/fuzz.hpp"

PGTANDEM_FUZZ_TARGET(basebackup_progress) {
    auto const progress = pgtandem::parse_progress(input);
    if (progress) pgtandem::fuzz::require(progress->done_bytes % 1024 == 0 && progress->total_bytes % 1024 == 0);
}
