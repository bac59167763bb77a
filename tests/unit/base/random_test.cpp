#include "base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace pgtandem {

TEST(RandomWord, has_its_length_and_only_letters_and_digits) {
    EXPECT_EQ(random_word(0), "");
    auto const word = random_word(1000);
    EXPECT_EQ(word.size(), 1000U);
    EXPECT_TRUE(std::ranges::all_of(word, [](unsigned char letter) { return std::isalnum(letter) != 0; }));
    // Each of the 62 is missing from so many with a probability below 1e-5.
    EXPECT_EQ(std::set<char>(word.begin(), word.end()).size(), 62U);
}

TEST(RandomWord, is_another_each_time) { EXPECT_NE(random_word(24), random_word(24)); }

}  // namespace pgtandem
