// What every message of wire/ promises: what was read is written again as the bytes it was read from.
#pragma once
#include <optional>
#include <string_view>

#include "base/byte_buffer.hpp"
#include "support/fuzz.hpp"
#include "wire/framing.hpp"

namespace pgtandem::fuzz {

inline void require_message(ByteBuffer const& written, char type, std::string_view body) {
    auto const header = wire::read_header(written.view());
    require(header && header->type == type && header->body == body.size());
    require(header->total() == written.size() && written.view().substr(wire::header_size) == body);
}

template <class Message>
void require_writes_what_it_read(std::optional<Message> const& message, char type, std::string_view body) {
    if (!message) return;
    ByteBuffer written;
    message->write(written);
    require_message(written, type, body);
}

}  // namespace pgtandem::fuzz
