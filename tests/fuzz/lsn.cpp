// pg_lsn: what is read is printed as a text that is read as the same.
#include "pg/lsn.hpp"

#include "support/fuzz.hpp"

PGTANDEM_FUZZ_TARGET(lsn) {
    auto const lsn = pgtandem::parse_lsn(input);
    if (lsn) pgtandem::fuzz::require(pgtandem::parse_lsn(to_string(*lsn)) == lsn);
}
