// A stream of messages: each header leads to the next, never to behind the end, and never on from a length that is refused.
#include "support/fuzz.hpp"
#include "wire/framing.hpp"

using namespace pgtandem;

PGTANDEM_FUZZ_TARGET(framing) {
    while (auto const header = wire::read_header(input)) {
        if (header->body == wire::bad_length) return;
        fuzz::require(header->body <= wire::length_max - 4);
        for (bool const logged_in : {false, true}) {
            fuzz::require(wire::frontend_body_max(header->type, logged_in) < wire::length_max);
        }
        if (header->total() > input.size()) return;
        input.remove_prefix(header->total());
    }
    fuzz::require(input.size() < wire::header_size);
}
