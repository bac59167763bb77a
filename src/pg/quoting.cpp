#include "pg/quoting.hpp"

#include <fmt/format.h>

#include <cctype>

#include "base/text.hpp"

namespace pgtandem {

std::string quoted_identifier(std::string_view name) {
    return "\"" + replace_all(std::string(name), "\"", "\"\"") + "\"";
}

std::string quoted_literal(std::string_view text) {
    auto quoted = replace_all(std::string(text), "'", "''");
    if (quoted.find('\\') == std::string::npos) return "'" + quoted + "'";
    return "E'" + replace_all(std::move(quoted), "\\", "\\\\") + "'";
}

std::string quoted_setting(std::string_view value) {
    return "'" + replace_all(replace_all(std::string(value), "\\", "\\\\"), "'", "''") + "'";
}

std::string quoted_conninfo_value(std::string_view value) {
    return "'" + replace_all(replace_all(std::string(value), "\\", "\\\\"), "'", "\\'") + "'";
}

std::string percent_encoded(std::string_view text) {
    std::string encoded;
    for (char const letter : text) {
        auto const byte = static_cast<unsigned char>(letter);
        bool const unreserved =
            byte < 128 && (std::isalnum(byte) || std::string_view("-._~").find(letter) != std::string_view::npos);
        if (unreserved) {
            encoded += letter;
        } else {
            encoded += fmt::format("%{:02X}", byte);
        }
    }
    return encoded;
}

std::string quoted_passfile_field(std::string_view field) {
    return replace_all(replace_all(std::string(field), "\\", "\\\\"), ":", "\\:");
}

}  // namespace pgtandem
