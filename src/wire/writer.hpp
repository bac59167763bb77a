// Appends one message to a buffer: fields in order, then finish(), which fills in the length.
#pragma once
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "base/byte_buffer.hpp"
#include "wire/framing.hpp"

namespace pgtandem::wire {

class MessageWriter {
public:
    // Type 0 writes no type byte, as the packets before the login have none.
    MessageWriter(ByteBuffer& out, char type) : out_(out), start_(out.size()) {
        if (type != '\0') out_.append(type);
        length_at_ = out_.size();
        int32(0);
    }

    void byte(char value) { out_.append(value); }
    void int16(std::int16_t value) {
        out_.append(static_cast<char>(static_cast<std::uint16_t>(value) >> 8));
        out_.append(static_cast<char>(value));
    }
    void uint32(std::uint32_t value) { store_uint32(out_.grow(4), value); }
    void int32(std::int32_t value) { uint32(static_cast<std::uint32_t>(value)); }
    void bytes(std::string_view value) { out_.append(value); }
    // A zero byte inside would end the text early and let the rest be read as other fields.
    void cstring(std::string_view text) {
        if (text.find('\0') != std::string_view::npos) refuse("a zero byte inside a text of a message");
        out_.append(text);
        out_.append('\0');
    }

    // A message too long for its length field is a bug of the caller: never sent with a length that wrapped.
    void finish() {
        auto const length = out_.size() - length_at_;
        if (length > length_max) refuse("a message longer than 1 GiB");
        store_uint32(out_.data() + length_at_, static_cast<std::uint32_t>(length));
    }

private:
    [[noreturn]] void refuse(char const* why) {
        out_.shrink(out_.size() - start_);
        throw std::length_error(why);
    }

    ByteBuffer& out_;
    std::size_t start_;
    std::size_t length_at_ = 0;
};

}  // namespace pgtandem::wire
