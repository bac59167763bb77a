// What `pgtandem verify` found out, one check each.
#pragma once
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace pgtandem::api {

struct Check {
    std::string name;  // what is checked: "node2 streams from node1"
    bool passed;
    std::string detail;  // the finding
    std::string hint;    // what to try, where it failed
    std::chrono::nanoseconds took;
};

nlohmann::json to_json(std::vector<Check> const& checks);

}  // namespace pgtandem::api
