// Base64 as SCRAM needs it: padded, and strict when read.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace pgtandem::wire {

std::string base64_encode(std::string_view bytes);
// Nothing where 'text' is not exactly what base64_encode() gives for some bytes.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace pgtandem::wire
