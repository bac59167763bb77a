// Which of a session's settings a prepared statement depends on: PostgreSQL evaluates literals, finds names and folds functions
// when it parses and plans, by the settings of that moment. Pure. See docs/decisions/0008.
#pragma once
#include <string_view>

#include "proxy/session_settings.hpp"

namespace pgtandem::proxy {

// True unless the setting is known to be read only while a statement runs, or not at all by statements.
bool matters_to_parser(std::string_view setting);

// Those of the settings that matter; the same object for the same content.
SettingsRef settings_for_parser(SettingsRef const& settings);

// Those by which literals are read and folded in plans that outlive their statement, as those of functions do: a server makes such a
// plan anew for another search_path or role, and for nothing else.
SettingsRef settings_for_kept_plans(SettingsRef const& settings);

// The DateStyle that a SET leaves where 'present' ("ISO, MDY") held before; "" where that is not certain.
std::string date_style_after(std::string_view present, std::string_view set_statement);

// One statement for each setting that brings it from one value to the other until the transaction ends, in their order.
std::vector<std::string> local_statements_between(SessionSettings const& from, SessionSettings const& to);

}  // namespace pgtandem::proxy
