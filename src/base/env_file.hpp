// Files of NAME=value lines, as docker compose reads them: '#' comments, an optional "export ", values plain,
// 'taken as they are' or "with \" \\ \n and \$ escaped".
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace pgtandem {

using Environment = std::map<std::string, std::string>;

// 'where' names the source in errors. Errors: a line without '=', a bad name, a quote that does not end.
Result<Environment> parse_environment(std::string_view text, std::string const& where);
// Text that parse_environment() reads back as the same.
std::string render_environment(Environment const& variables);

}  // namespace pgtandem
