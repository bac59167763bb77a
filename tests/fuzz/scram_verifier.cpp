// What pg_authid keeps of a password; and the same bytes as a password, which SASLprep may not be able to prepare.
#include <fmt/format.h>

#include "support/fuzz.hpp"
#include "wire/base64.hpp"
#include "wire/scram.hpp"
#include "wire/scram_crypto.hpp"

using namespace pgtandem;

namespace {

std::string rendered(wire::ScramVerifier const& verifier) {
    return fmt::format("SCRAM-SHA-256${}:{}${}:{}", verifier.iterations, wire::base64_encode(verifier.salt),
                       wire::base64_encode(verifier.stored_key), wire::base64_encode(verifier.server_key));
}

}  // namespace

PGTANDEM_FUZZ_TARGET(scram_verifier) {
    auto const made = wire::make_verifier(input, "salt", 1);
    auto const read = wire::ScramVerifier::parse(rendered(made));
    fuzz::require(read && rendered(*read) == rendered(made));
    auto const verifier = wire::ScramVerifier::parse(input);
    if (!verifier) return;
    fuzz::require(verifier->iterations > 0 && !verifier->salt.empty());
    fuzz::require(verifier->stored_key.size() == wire::scram_key_size && verifier->server_key.size() == wire::scram_key_size);
    auto const again = wire::ScramVerifier::parse(rendered(*verifier));
    fuzz::require(again && rendered(*again) == rendered(*verifier));
}
