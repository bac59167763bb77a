// A message of a server: its type, then its body.
#include "support/message.hpp"
#include "wire/backend.hpp"

using namespace pgtandem;

namespace {

void read_negotiation(std::string_view body) {
    auto const answer = wire::NegotiateProtocolVersion::parse(body);
    // Each name takes a byte at least: a count that is merely claimed is not believed.
    if (answer) fuzz::require(answer->unrecognized <= body.size() - 8);
}

void read_row(std::string_view body) {
    auto const row = wire::DataRow::parse(body);
    if (row) fuzz::require(row->values.size() <= body.size() / 4);
}

}  // namespace

PGTANDEM_FUZZ_TARGET(backend_message) {
    if (input.empty()) return;
    auto const body = input.substr(1);
    switch (input[0]) {
        case 'S': return fuzz::require_writes_what_it_read(wire::ParameterStatus::parse(body), 'S', body);
        case 'K': return fuzz::require_writes_what_it_read(wire::BackendKeyData::parse(body), 'K', body);
        case 'Z': return fuzz::require_writes_what_it_read(wire::ReadyForQuery::parse(body), 'Z', body);
        case 'C': return fuzz::require_writes_what_it_read(wire::CommandComplete::parse(body), 'C', body);
        case 'D': return read_row(body);
        case 'v': return read_negotiation(body);
        default: return;
    }
}
