// Files of NAME=value lines: what is read can be written and read again as the same.
#include "base/env_file.hpp"

#include "support/fuzz.hpp"

PGTANDEM_FUZZ_TARGET(env_file) {
    auto const read = pgtandem::parse_environment(input, "input");
    if (!read) return pgtandem::fuzz::require(!read.error().why.empty());
    auto const again = pgtandem::parse_environment(pgtandem::render_environment(*read), "rendered");
    pgtandem::fuzz::require(again && *again == *read);
}
