#include "api/check.hpp"

#include <gtest/gtest.h>

namespace pgtandem::api {

using namespace std::chrono_literals;

TEST(CheckJson, passes_only_if_every_check_did) {
    Check const good{"streams", true, "0 B behind", "", 1500us};
    Check const bad{"archives", false, "it does not", "pgtandem up", 0ns};
    EXPECT_TRUE(to_json({}).at("passed"));
    EXPECT_TRUE(to_json({good}).at("passed"));
    auto const json = to_json({good, bad, good});
    EXPECT_FALSE(json.at("passed"));
    EXPECT_EQ(json.at("checks").at(0).at("took_ms"), 1.5);
    EXPECT_EQ(json.at("checks").at(1), (nlohmann::json{{"check", "archives"},
                                                       {"passed", false},
                                                       {"detail", "it does not"},
                                                       {"try", "pgtandem up"},
                                                       {"took_ms", 0.0}}));
}

}  // namespace pgtandem::api
