// The text of pg_hba.conf, as far as pg_hba_file_rules does not show it: which words of a line stand in quotes.
#pragma once
#include <set>
#include <string>
#include <string_view>

namespace pgtandem::proxy {

// Words that only stand in quotes on their line: names, whatever else they might mean.
struct HbaQuoted {
    std::set<std::string> databases;
    std::set<std::string> users;
};

// Of the line with this number, and of those that continue it (src/backend/libpq/hba.c: next_token).
HbaQuoted quoted_words(std::string_view file, int line_number);

}  // namespace pgtandem::proxy
