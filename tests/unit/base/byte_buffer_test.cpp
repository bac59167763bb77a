#include "base/byte_buffer.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace pgtandem {

TEST(ByteBuffer, gives_back_what_was_appended_less_what_was_consumed) {
    // Against a string, over many sizes: growing, moving to the front and starting again all happen.
    std::mt19937 random(1);
    ByteBuffer buffer;
    std::string expected;
    for (int step = 0; step < 2000; ++step) {
        std::string const more(random() % 300, static_cast<char>('a' + step % 26));
        buffer.append(more);
        expected += more;
        auto const eaten = random() % (expected.size() + 1);
        buffer.consume(eaten);
        expected.erase(0, eaten);
        ASSERT_EQ(buffer.view(), expected) << "step " << step;
    }
}

TEST(ByteBuffer, takes_back_what_grow_gave_and_nobody_filled) {
    ByteBuffer buffer;
    buffer.append('a');
    buffer.grow(10)[0] = 'b';
    buffer.shrink(9);
    EXPECT_EQ(buffer.view(), "ab");
}

TEST(ByteBuffer, is_empty_after_a_move_and_after_clear) {
    ByteBuffer buffer;
    buffer.append("abc");
    ByteBuffer moved(std::move(buffer));
    EXPECT_EQ(moved.view(), "abc");
    moved.clear();
    EXPECT_TRUE(moved.empty());
    moved.release();
    moved.append("again");
    EXPECT_EQ(moved.view(), "again");
}

TEST(ByteBuffer, release_keeps_what_is_in_it) {
    ByteBuffer buffer;
    buffer.append("abc");
    buffer.release();
    EXPECT_EQ(buffer.view(), "abc");
}

}  // namespace pgtandem
