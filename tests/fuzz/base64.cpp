// Base64 both ways: only what encoding gives is decoded.
#include "wire/base64.hpp"

#include "support/fuzz.hpp"

using namespace pgtandem;

PGTANDEM_FUZZ_TARGET(base64) {
    fuzz::require(wire::base64_decode(wire::base64_encode(input)) == input);
    auto const bytes = wire::base64_decode(input);
    if (bytes) fuzz::require(wire::base64_encode(*bytes) == input);
}
