// The tables of the console's SHOW commands, from what the workers tell.
#pragma once
#include <span>
#include <string_view>

#include "proxy/console.hpp"

namespace pgtandem::proxy {

struct ShowRow {
    std::string_view name;  // in capitals, as typed behind SHOW
    std::string_view help;
    ConsoleTable (*make)(EndpointControl& control);
};

std::span<ShowRow const> show_rows();

}  // namespace pgtandem::proxy
