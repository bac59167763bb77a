// Which texts are the same statement with other literals.
#pragma once
#include <cstdint>
#include <string_view>

namespace pgtandem::sql {

// A well mixed hash of the text without its comments and white space, unquoted words folded, numbers and strings as
// one placeholder; $1 stays. Keyed: nobody who does not know 'seed' can make two texts meet.
std::uint64_t fingerprint(std::string_view text, bool standard_conforming_strings, std::uint64_t seed);
// Of the bytes as they are, keyed in the same way.
std::uint64_t keyed_hash(std::string_view bytes, std::uint64_t seed);

}  // namespace pgtandem::sql
