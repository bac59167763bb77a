// The body of an ErrorResponse, of any bytes: what was understood of it is written and understood again as the same.
#include "wire/error_response.hpp"

#include "support/fuzz.hpp"
#include "wire/framing.hpp"

using namespace pgtandem;

PGTANDEM_FUZZ_TARGET(error_response) {
    ByteBuffer written;
    wire::write_error_response(written, wire::ErrorFields::parse(input));
    ByteBuffer again;
    wire::write_error_response(again, wire::ErrorFields::parse(written.view().substr(wire::header_size)));
    fuzz::require(again.view() == written.view());
}
