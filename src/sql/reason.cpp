#include "sql/reason.hpp"

namespace pgtandem::sql {

std::string_view name(Reason reason) {
    switch (reason) {
        case Reason::read: return "read";
        case Reason::writes: return "writes";
        case Reason::ddl: return "ddl";
        case Reason::transaction: return "transaction";
        case Reason::locks_rows: return "locks_rows";
        case Reason::select_into: return "select_into";
        case Reason::hold_cursor: return "hold_cursor";
        case Reason::session_state: return "session_state";
        case Reason::side_effect: return "side_effect";
        case Reason::volatile_function: return "volatile_function";
        case Reason::local_answer: return "local_answer";
        case Reason::not_on_replica: return "not_on_replica";
        case Reason::unknown_function: return "unknown_function";
        case Reason::unknown_relation: return "unknown_relation";
        case Reason::unknown_operator: return "unknown_operator";
        case Reason::unknown_syntax: return "unknown_syntax";
        case Reason::unparsable: return "unparsable";
        case Reason::too_long: return "too_long";
        case Reason::catalog_unknown: return "catalog_unknown";
        case Reason::overridden: return "overridden";
        case Reason::hint_primary: return "hint_primary";
        case Reason::hint_replica: return "hint_replica";
    }
    return "unknown_syntax";
}

}  // namespace pgtandem::sql
