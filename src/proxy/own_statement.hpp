// Statements that the endpoint itself answers: its own settings, and where a statement would go. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/error_response.hpp"

namespace pgtandem::proxy {

struct OwnStatement {
    enum class Kind : std::uint8_t { set, reset, show, explain };
    Kind kind = Kind::show;
    std::string name{};   // "pgtandem.route"
    std::string value{};  // of SET, folded unless it is quoted; of EXPLAIN the statement
    bool is_local = false;
};

// SET, RESET and SHOW of a name that begins with "pgtandem.", and EXPLAIN (PGTANDEM) statement; nothing for all else.
std::optional<OwnStatement> read_own_statement(std::string_view text, bool standard_conforming_strings);

// What it answers: an error, or a tag and, of SHOW and EXPLAIN, one column of rows.
struct OwnAnswer {
    std::optional<wire::ErrorFields> error{};
    std::string tag{};
    std::string column{};
    std::vector<std::string> rows{};
};

// How far a portal of such a statement has been run.
struct OwnRun {
    std::optional<OwnAnswer> answer{};  // once it has been run
    std::size_t rows_given = 0;
};

}  // namespace pgtandem::proxy
