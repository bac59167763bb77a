// What a backend reports of its settings by ParameterStatus: an immutable value, the same object wherever the content is
// the same, so that "has this client seen what this backend reports" is one comparison of pointers.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_buffer.hpp"
#include "base/interned.hpp"

namespace pgtandem::proxy {

// Name and value, in the server's own order.
using Reported = std::vector<std::pair<std::string, std::string>>;
// What each statement is read by stands ready.
struct SharedReported {
    explicit SharedReported(Reported reported);
    auto operator<=>(SharedReported const& other) const { return values <=> other.values; }
    bool operator==(SharedReported const& other) const { return values == other.values; }

    Reported values;
    bool strings_conform;  // standard_conforming_strings
    // In some encodings a letter holds bytes that elsewhere end a string: what stands there cannot be told.
    bool can_be_read;
};
using ReportedRef = std::shared_ptr<SharedReported const>;

void set_value(Reported& reported, std::string_view name, std::string_view value);

// One worker's.
class ReportedRegistry {
public:
    ReportedRef intern(Reported reported);
    ReportedRef with(ReportedRef const& before, std::string_view name, std::string_view value);

private:
    Interned<SharedReported> known_;
};

// A ParameterStatus for each that differs from what the client has seen; 'seen' may be null.
void write_differences(ByteBuffer& out, ReportedRef const& seen, ReportedRef const& present);

// The value, or "".
std::string_view value_of(ReportedRef const& reported, std::string_view name);

}  // namespace pgtandem::proxy
