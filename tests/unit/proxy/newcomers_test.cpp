#include "proxy/newcomers.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace pgtandem::proxy {

TEST(Newcomers, the_oldest_of_the_address_with_most_goes_first) {
    Newcomers newcomers;
    EXPECT_FALSE(newcomers.first_to_go());
    newcomers.add(1, "a");
    newcomers.add(2, "b");
    newcomers.add(3, "b");
    newcomers.add(4, "a");
    newcomers.add(5, "b");
    EXPECT_EQ(newcomers.first_to_go(), 2U);
    newcomers.remove(2);
    newcomers.remove(2);
    newcomers.remove(3);
    EXPECT_EQ(newcomers.first_to_go(), 1U);
    newcomers.remove(1);
    newcomers.remove(4);
    newcomers.remove(5);
    EXPECT_FALSE(newcomers.first_to_go());
    EXPECT_EQ(newcomers.size(), 0U);
}

// Whatever the others do, who has few connections keeps them.
TEST(Newcomers, one_address_cannot_drive_out_another) {
    Newcomers newcomers;
    newcomers.add(1, "a client");
    for (std::uint64_t id = 2; id < 2000; ++id) {
        newcomers.add(id, "an attacker");
        if (newcomers.size() <= 10) continue;
        auto const gone = newcomers.first_to_go();
        ASSERT_TRUE(gone && *gone != 1);
        newcomers.remove(*gone);
    }
    EXPECT_EQ(newcomers.size(), 10U);
}

}  // namespace pgtandem::proxy
