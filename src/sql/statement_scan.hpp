// One pass over the tokens of one statement: where it ends, which suspects it names, which words it has that matter
// wherever they stand.
#pragma once
#include <cstddef>
#include <string_view>

#include "sql/catalog_facts.hpp"
#include "sql/lexer.hpp"

namespace pgtandem::sql {

struct StatementScan {
    std::string_view text;  // from the first token to before the ';'
    std::string_view first_word;
    std::size_t token_count = 0;
    Pins pins;  // of what it names, without set_config's
    Pins pins_of_writing;  // of the relations it names, if it wrote to them
    bool is_broken = false;
    bool calls_set_config = false;
    bool calls_unlock_all = false;
    bool writes = false;      // INSERT, UPDATE, DELETE, MERGE, COPY, TRUNCATE stand in it
    bool may_insert = false;  // column defaults may be put in
    bool has_into = false;
    bool creates_temporary = false;  // CREATE or INTO, and TEMPORARY behind it
    bool is_last = false;            // the text ends here
};

// Takes one statement off the lexer; a text of blanks or ';' alone has no tokens.
StatementScan scan_statement(Lexer& lexer, CatalogFacts const& facts);

}  // namespace pgtandem::sql
