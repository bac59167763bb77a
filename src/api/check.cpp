#include "api/check.hpp"

namespace pgtandem::api {

nlohmann::json to_json(std::vector<Check> const& checks) {
    auto list = nlohmann::json::array();
    bool all_passed = true;
    for (auto const& check : checks) {
        all_passed = all_passed && check.passed;
        list.push_back({{"check", check.name},
                        {"passed", check.passed},
                        {"detail", check.detail},
                        {"try", check.hint},
                        {"took_ms", std::chrono::duration<double, std::milli>(check.took).count()}});
    }
    return {{"passed", all_passed}, {"checks", list}};
}

}  // namespace pgtandem::api
