#include "proxy/samples.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "support/floor_model.hpp"

namespace pgtandem::proxy {
namespace {

// A sample of the first epoch that covers so many acknowledged commits.
Sample covering(std::uint64_t acknowledged, std::uint64_t flushed, std::uint64_t inserted, std::uint64_t without_flush = 0) {
    return {1, 1, flushed, inserted, {}, acknowledged, without_flush};
}

TEST(Samples, TellWhereWhatWasAcknowledgedIs) {
    std::atomic<bool> unflushed{false};
    Samples samples(unflushed);
    EXPECT_EQ(samples.position_of(1, 1), std::nullopt);
    samples.publish(covering(3, 100, 150));
    samples.publish(covering(3, 120, 150));
    samples.publish(covering(5, 130, 160));
    EXPECT_EQ(samples.position_of(1, 1), 100U);
    EXPECT_EQ(samples.position_of(3, 1), 100U);
    EXPECT_EQ(samples.position_of(4, 1), 130U);
    EXPECT_EQ(samples.position_of(6, 1), std::nullopt);
    EXPECT_EQ(samples.position_of(1, 2), std::nullopt);
    auto next = covering(5, 90, 90);
    next.epoch = 2;
    samples.publish(next);
    EXPECT_EQ(samples.position_of(5, 2), 90U);
    EXPECT_EQ(samples.position_of(5, 1), std::nullopt);
}

TEST(Samples, WhatWasNotFlushedIsAsFarAsItWasInserted) {
    std::atomic<bool> unflushed{false};
    Samples samples(unflushed);
    samples.publish(covering(3, 100, 150, 2));
    EXPECT_EQ(samples.position_of(3, 1), 150U);
    // That one lies below what was inserted then; later ones were flushed.
    samples.publish(covering(4, 120, 170, 2));
    EXPECT_EQ(samples.position_of(4, 1), 150U);
    samples.publish(covering(5, 160, 180, 2));
    EXPECT_EQ(samples.position_of(5, 1), 160U);
}

TEST(Samples, OfWhatWasLongAgoTheOldestTells) {
    std::atomic<bool> unflushed{false};
    Samples samples(unflushed);
    for (std::uint64_t count = 1; count <= 1000; ++count) samples.publish(covering(count, count * 10, count * 10));
    auto const oldest = samples.position_of(1, 1);
    ASSERT_TRUE(oldest);
    EXPECT_GT(*oldest, 10U);
    EXPECT_EQ(samples.position_of(1000, 1), 10000U);
}

using floor_model::Explorer;
using floor_model::Scenario;

void expect_no_old_read(Scenario const& scenario) {
    Explorer explorer(scenario);
    EXPECT_EQ(explorer.explore(), "") << scenario.scripts[0] << " and " << scenario.scripts[1];
    EXPECT_TRUE(explorer.is_finished()) << scenario.scripts[0] << " and " << scenario.scripts[1];
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

TEST(FloorModel, AReadSeesWhatTheEndpointHasToldAnybody) {
    for (auto const level : {Consistency::endpoint, Consistency::strict}) {
        for (auto const& script : scripts("WPR", is_long() ? 2 : 1)) expect_no_old_read({.scripts = {script}, .consistency = level});
        expect_no_old_read({.scripts = {"WR"}, .is_resident = true, .consistency = level});
        // Those of the other worker's sessions too.
        expect_no_old_read({.scripts = {"R", "W"}, .others_commits = 0, .consistency = level});
        expect_no_old_read({.scripts = {"R"}, .promotes = true, .has_two_replicas = true, .consistency = level});
    }
}

TEST(FloorModel, AfterReadsThatMayBeLateASessionSeesItsOwnWritesAgain) {
    for (auto const* script : {"WLR", "RLR", "RLP", "RLWR"}) expect_no_old_read({{script}});
}

}  // namespace
}  // namespace pgtandem::proxy
