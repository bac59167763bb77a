#include "proxy/memory_use.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {
namespace {

TEST(memory_use, has_room_up_to_its_limit) {
    auto const most = memory_rows[0].bytes_max;
    MemoryUse memory;
    EXPECT_TRUE(memory.has_room(MemoryFor::verdicts, most));
    memory.add(MemoryFor::verdicts, most - 1);
    EXPECT_TRUE(memory.has_room(MemoryFor::verdicts, 1));
    EXPECT_FALSE(memory.has_room(MemoryFor::verdicts, 2));
    EXPECT_FALSE(memory.has_room(MemoryFor::verdicts, SIZE_MAX));
    memory.remove(MemoryFor::verdicts, most - 1);
    EXPECT_EQ(memory.used(MemoryFor::verdicts), 0U);
    EXPECT_TRUE(memory.has_room(MemoryFor::client_input, SIZE_MAX));
}

}  // namespace
}  // namespace pgtandem::proxy
