// What a session has changed of its settings (GUCs) since it began, as an immutable value that sessions and backends share:
// a backend that holds the same value as the session needs nothing to serve it.
#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sql/effects.hpp"

namespace pgtandem::proxy {

// Setting's name -> the statement that gives its value again.
using SessionSettings = std::map<std::string, std::string, std::less<>>;
using SettingsRef = std::shared_ptr<SessionSettings const>;

SettingsRef no_settings();

// The value after the changes have been committed.
SettingsRef changed(SettingsRef const& before, std::vector<sql::SettingChange> const& changes);

// The statements that bring a backend from one to the other; empty if nothing differs. A role is left first and taken last:
// the other settings were set by the user who logged in.
std::string statements_between(SessionSettings const& from, SessionSettings const& to);

// "RESET my.own", which also makes a custom setting known where it was not.
std::string reset_statement(std::string_view name);
void add_statement(std::string& text, std::string const& statement);

// Of a statement that sets a time whose unit is the millisecond; 0 where it cannot be read.
std::chrono::milliseconds time_of_statement(std::string_view statement);

// A setting with a dot in its name is the user's own; once set in a backend it is there, if only empty, until the backend ends.
inline bool is_custom(std::string_view name) { return name.find('.') != std::string_view::npos; }

}  // namespace pgtandem::proxy
