#include "proxy/residents.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace pgtandem::proxy {
namespace {

struct Sessions {
    Residents residents;
    std::vector<double> places{};

    explicit Sessions(int count) {
        for (int session = 0; session < count; ++session) places.push_back(residents.take_place());
    }
    std::vector<bool> staying() const {
        std::vector<bool> found;
        for (double const place : places) found.push_back(residents.include(place));
        return found;
    }
    // Each session reads by turns, where it is to. The primary's part of the last reads.
    double read(int rounds, double share) {
        int on_primary = 0;
        for (int round = 0; round < rounds; ++round) {
            for (double const place : places) {
                bool const stays = residents.include(place);
                on_primary += stays ? 1 : 0;
                residents.count_read(stays);
                if (residents.is_to_adapt()) residents.adapt(share);
            }
        }
        return static_cast<double>(on_primary) / rounds / static_cast<double>(places.size());
    }
};

TEST(Residents, NobodyStaysBeforeThereAreReads) {
    Sessions const sessions(10);
    EXPECT_EQ(sessions.staying(), std::vector<bool>(10, false));
}

TEST(Residents, AsManyStayAsTheShareAllows) {
    for (double const share : {0.0, 0.25, 0.333, 0.5, 1.0}) {
        Sessions sessions(100);
        sessions.read(500, share);
        EXPECT_NEAR(sessions.read(100, share), share, 0.03) << share;
    }
}

TEST(Residents, TheSameOnesStay) {
    Sessions sessions(100);
    sessions.read(500, 0.333);
    auto const before = sessions.staying();
    sessions.read(500, 0.333);
    auto const after = sessions.staying();
    int changed = 0;
    for (std::size_t session = 0; session < before.size(); ++session) changed += before[session] != after[session] ? 1 : 0;
    EXPECT_LE(changed, 3);
}

TEST(Residents, APrimaryWithoutAShareIsLeft) {
    Sessions sessions(10);
    sessions.read(500, 0.5);
    sessions.read(500, 0);
    EXPECT_EQ(sessions.read(10, 0), 0);
}

}  // namespace
}  // namespace pgtandem::proxy
