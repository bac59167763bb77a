#include "sql/text_marks.hpp"

#include "sql/lexer.hpp"

namespace pgtandem::sql {

bool names_termination(std::string_view text) {
    constexpr std::string_view name = "_terminate_backend";
    for (auto at = text.find('_'); at != text.npos; at = text.find('_', at + 1)) {
        if (equals_folded(text.substr(at, name.size()), name)) return true;
    }
    return false;
}

TextMarks read_marks(std::string_view text) { return {read_hint(text, true), names_termination(text)}; }

}  // namespace pgtandem::sql
