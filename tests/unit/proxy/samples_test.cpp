#include "proxy/samples.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "support/floor_model.hpp"

namespace pgtandem::proxy {
namespace {

using floor_model::Explorer;
using floor_model::Scenario;

void expect_no_old_read(Scenario const& scenario) {
    Explorer explorer(scenario);
    EXPECT_EQ(explorer.explore(), "") << scenario.scripts[0] << " and " << scenario.scripts[1];
    EXPECT_TRUE(explorer.is_finished()) << scenario.scripts[0] << " and " << scenario.scripts[1];
    if (::testing::Test::HasFailure()) return;
    ::testing::Test::RecordProperty("worlds", static_cast<int>(explorer.worlds()));
    if (std::getenv("MODEL_SIZE") != nullptr) printf("%s %s: %zu\n", scenario.scripts[0].c_str(), scenario.scripts[1].c_str(), explorer.worlds());
}

// All scripts of so many of these steps, and a read at their end.
std::vector<std::string> scripts(std::string_view steps, unsigned length) {
    std::vector<std::string> found{""};
    for (unsigned count = 0; count < length; ++count) {
        std::vector<std::string> longer;
        for (auto const& script : found) {
            for (char const step : steps) longer.push_back(script + step);
        }
        found = std::move(longer);
    }
    for (auto& script : found) script += 'R';
    return found;
}

// Longer scripts take minutes.
bool is_long() { return std::getenv("PGTANDEM_LONG") != nullptr; }

TEST(FloorModel, ASessionNeverReadsBackInTime) {
    for (auto const& script : scripts("WPR", is_long() ? 3 : 2)) expect_no_old_read({{script}});
}

TEST(FloorModel, NorDoesOneThatReadsWhereItWrites) {
    for (auto const& script : scripts("WPR", is_long() ? 3 : 2)) expect_no_old_read({.scripts = {script}, .is_resident = true});
}

TEST(FloorModel, AFloorThatIsHandedOverCoversWhatWasReadToo) {
    std::vector<std::string> givers{"F", "WF", "PF", "RF", "WPF", "RPF"};
    if (is_long()) givers.insert(givers.end(), {"RRF", "WRF"});
    for (auto const& giver : givers) {
        for (auto const* taker : {"R", "P"}) expect_no_old_read({.scripts = {giver, taker}});
    }
    // One that has read before takes it.
    for (auto const* giver : {"F", "PF"}) expect_no_old_read({.scripts = {giver, "RP"}});
    if (is_long()) expect_no_old_read({.scripts = {"RRF", "RP"}});
}

TEST(FloorModel, APromotionTakesNothingBack) {
    std::vector<std::string> scripts{"RP", "WR", "PR"};
    if (is_long()) scripts.insert(scripts.end(), {"RR", "RRR", "RRP"});
    for (auto const& script : scripts) expect_no_old_read({.scripts = {script}, .promotes = true, .has_two_replicas = true});
}

TEST(FloorModel, AFloorFromAfterAPromotionIsGoodBeforeItIsKnown) {
    for (auto const* taker : {"R", "P"}) expect_no_old_read({.scripts = {"PF", taker}, .promotes = true, .has_two_replicas = true});
    if (is_long()) expect_no_old_read({.scripts = {"RF", "R"}, .promotes = true, .has_two_replicas = true});
}

TEST(FloorModel, AfterReadsThatMayBeLateASessionSeesItsOwnWritesAgain) {
    for (auto const* script : {"WLR", "RLR", "RLP", "RLWR"}) expect_no_old_read({{script}});
}

}  // namespace
}  // namespace pgtandem::proxy
