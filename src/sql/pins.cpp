#include "sql/pins.hpp"

#include <string_view>
#include <utility>

namespace pgtandem::sql {

std::string Pins::names() const {
    static constexpr std::pair<Pin, std::string_view> all[] = {
        {Pin::temporary_table, "temporary table"},
        {Pin::prepared_statement, "prepared statement"},
        {Pin::listen, "listen"},
        {Pin::hold_cursor, "hold cursor"},
        {Pin::advisory_lock, "advisory lock"},
        {Pin::sequence, "sequence"},
        {Pin::backend_identity, "backend identity"},
        {Pin::unproven, "unproven"},
        {Pin::session_authorization, "session authorization"},
        {Pin::too_long, "too long"},
        {Pin::replication, "replication"},
        {Pin::mode, "mode"},
        {Pin::drawn_number, "drawn number"},
        {Pin::statement_names, "statement names"},
        {Pin::login_trigger, "login trigger"},
    };
    std::string text;
    for (auto const& [pin, name] : all) {
        if (!contains(pin)) continue;
        if (!text.empty()) text += ", ";
        text += name;
    }
    return text;
}

}  // namespace pgtandem::sql
