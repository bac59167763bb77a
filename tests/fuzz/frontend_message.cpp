// A message of a client that has logged in: its type, then its body.
#include "support/message.hpp"
#include "wire/query.hpp"

using namespace pgtandem;

namespace {

void read_bind(std::string_view body) {
    auto const bind = wire::Bind::parse(body);
    fuzz::require_writes_what_it_read(bind, 'B', body);
    if (!bind || !bind->has_whole_rest()) return;
    auto more = std::string(bind->rest) + '\0';
    fuzz::require(!wire::Bind{"", "", more}.has_whole_rest());
    fuzz::require(!wire::Bind{"", "", bind->rest.substr(0, bind->rest.size() - 1)}.has_whole_rest());
}

}  // namespace

PGTANDEM_FUZZ_TARGET(frontend_message) {
    if (input.empty()) return;
    auto const body = input.substr(1);
    switch (input[0]) {
        case 'Q': return fuzz::require_writes_what_it_read(wire::Query::parse(body), 'Q', body);
        case 'P': return fuzz::require_writes_what_it_read(wire::Parse::parse(body), 'P', body);
        case 'B': return read_bind(body);
        case 'D': return fuzz::require_writes_what_it_read(wire::Describe::parse(body), 'D', body);
        case 'C': return fuzz::require_writes_what_it_read(wire::Close::parse(body), 'C', body);
        case 'E': return fuzz::require_writes_what_it_read(wire::Execute::parse(body), 'E', body);
        case 'F': return fuzz::require(wire::FunctionCall::parse(body).has_value() == (body.size() >= 4));
        default: return;
    }
}
