// PostgreSQL's ways to quote: in SQL, in its settings files, in connection strings and password files.
#pragma once
#include <string>
#include <string_view>

namespace pgtandem {

// "na""me"
std::string quoted_identifier(std::string_view name);
// 'te''xt', or E'...' where there is a backslash: right whatever standard_conforming_strings says.
std::string quoted_literal(std::string_view text);
// A value in postgresql.conf: 'it''s', backslashes doubled.
std::string quoted_setting(std::string_view value);
// A value in a key=value connection string: 'it\'s'.
std::string quoted_conninfo_value(std::string_view value);
// A part of a connection URI, percent-encoded (RFC 3986, unreserved characters stay).
std::string percent_encoded(std::string_view text);
// A field of a password file: ':' and '\' escaped.
std::string quoted_passfile_field(std::string_view field);

}  // namespace pgtandem
