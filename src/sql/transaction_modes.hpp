// The modes of BEGIN, SET TRANSACTION and SET SESSION CHARACTERISTICS.
#pragma once
#include <optional>
#include <string>

#include "sql/cursor.hpp"

namespace pgtandem::sql {

struct TransactionModes {
    std::string isolation;  // "repeatable read", or "" where none is given
    std::optional<bool> read_only;
    std::optional<bool> deferrable;
};

// Up to the end of the statement; nothing if anything but modes stands there.
std::optional<TransactionModes> read_transaction_modes(Cursor& cursor);

}  // namespace pgtandem::sql
