// What a server makes of the application_name in a startup message. The endpoint tells the client of it before a backend does.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "wire/error_response.hpp"

namespace pgtandem::proxy {

struct ApplicationName {
    std::string value;
    std::optional<wire::ErrorFields> notice{};  // sent before the first ParameterStatus
};

// 'encoding' and 'version' are the server's server_encoding and server_version ("15.8 (Debian ...)"). As of PostgreSQL 15:
// names are cut to 63 bytes (truncate_identifier), then what is not printable ASCII is replaced (pg_clean_ascii).
ApplicationName application_name_at_login(std::string_view given, std::string_view encoding, std::string_view version);

}  // namespace pgtandem::proxy
