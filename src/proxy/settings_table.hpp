// The endpoint's settings by name: one row each, for files, flags and SHOW CONFIG alike.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "proxy/endpoint_settings.hpp"

namespace pgtandem::proxy {

struct SettingRow {
    std::string_view name;       // with '_'
    bool changes_while_running;  // by a reload; else only by a new start
    // Errors: the value is not one that the setting can have; 'why' says what it can.
    Status (*set)(EndpointSettings& settings, std::string const& value);
    std::string (*get)(EndpointSettings const& settings);
};

std::vector<SettingRow> const& endpoint_setting_rows();

// Errors: no such setting (with the nearest), a bad value. 'where' names the source.
Status set_endpoint_setting(EndpointSettings& settings, std::string const& name, std::string const& value, std::string const& where);

// The names of settings that differ and need a new start.
std::vector<std::string> needing_restart(EndpointSettings const& before, EndpointSettings const& after);

}  // namespace pgtandem::proxy
