#include "sql/transaction_modes.hpp"

namespace pgtandem::sql {

namespace {

std::string read_isolation(Cursor& cursor) {
    if (!cursor.accept("level")) return "";
    if (cursor.accept("serializable")) return "serializable";
    if (cursor.accept("repeatable")) return cursor.accept("read") ? "repeatable read" : "";
    if (!cursor.accept("read")) return "";
    if (cursor.accept("committed")) return "read committed";
    return cursor.accept("uncommitted") ? "read uncommitted" : "";
}

bool read_mode(Cursor& cursor, TransactionModes& modes) {
    if (cursor.accept("isolation")) {
        modes.isolation = read_isolation(cursor);
        return !modes.isolation.empty();
    }
    if (cursor.accept("read")) {
        modes.read_only = cursor.at("only");
        return cursor.accept("only") || cursor.accept("write");
    }
    modes.deferrable = !cursor.accept("not");
    return cursor.accept("deferrable");
}

}  // namespace

std::optional<TransactionModes> read_transaction_modes(Cursor& cursor) {
    TransactionModes modes;
    while (!cursor.done()) {
        if (!read_mode(cursor, modes)) return std::nullopt;
        if (cursor.accept(',') && cursor.done()) return std::nullopt;
    }
    return modes;
}

}  // namespace pgtandem::sql
