// Reads the fields of a message in order. After the first failure every read gives zero or nothing,
// so that one check at the end is enough. What it gives are views into the caller's bytes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/framing.hpp"

namespace pgtandem::wire {

class Cursor {
public:
    explicit Cursor(std::string_view bytes) : rest_(bytes) {}

    char byte() {
        auto const taken = bytes(1);
        return taken.empty() ? '\0' : taken[0];
    }
    std::int16_t int16() {
        auto const taken = bytes(2);
        if (taken.empty()) return 0;
        auto const high = static_cast<unsigned char>(taken[0]);
        auto const low = static_cast<unsigned char>(taken[1]);
        return static_cast<std::int16_t>(high << 8 | low);
    }
    std::uint32_t uint32() {
        auto const taken = bytes(4);
        return taken.empty() ? 0 : load_uint32(taken.data());
    }
    std::int32_t int32() { return static_cast<std::int32_t>(uint32()); }

    // Without the zero byte that ends it.
    std::string_view cstring() {
        auto const end = rest_.find('\0');
        if (end == std::string_view::npos) return fail();
        auto const text = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return text;
    }
    std::string_view bytes(std::size_t count) {
        if (failed_ || count > rest_.size()) return fail();
        auto const taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    std::string_view rest() {
        auto const taken = rest_;
        rest_ = {};
        return taken;
    }

    std::size_t left() const { return rest_.size(); }
    bool failed() const { return failed_; }
    // True if every read succeeded and nothing is left over.
    bool complete() const { return !failed_ && rest_.empty(); }

private:
    std::string_view fail() {
        failed_ = true;
        rest_ = {};
        return {};
    }

    std::string_view rest_;
    bool failed_ = false;
};

}  // namespace pgtandem::wire
