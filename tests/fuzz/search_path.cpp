// A value of search_path: written again, each name in quotes, it names the same.
#include "sql/search_path.hpp"

#include "support/fuzz.hpp"

PGTANDEM_FUZZ_TARGET(search_path) {
    using namespace pgtandem;
    sql::path_of_statement(input, "anna");
    auto const path = sql::path_of_value(input, "anna");
    if (!path) return;
    std::string written;
    for (auto const& name : *path) {
        if (!written.empty()) written += ", ";
        written += '"';
        for (char const letter : name) written.append(letter == '"' ? 2 : 1, letter);
        written += '"';
    }
    // What looks like a comment is not read, also within quotes.
    auto const again = sql::path_of_value(written, "anna");
    fuzz::require(!again || *again == *path);
}
