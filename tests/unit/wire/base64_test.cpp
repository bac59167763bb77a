#include "wire/base64.hpp"

#include <gtest/gtest.h>

namespace pgtandem::wire {
namespace {

TEST(base64, gives_the_vectors_of_rfc_4648) {
    EXPECT_EQ(base64_encode(""), "");
    EXPECT_EQ(base64_encode("f"), "Zg==");
    EXPECT_EQ(base64_encode("fo"), "Zm8=");
    EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
    EXPECT_EQ(base64_decode("Zm8="), "fo");
}

TEST(base64, refuses_what_it_would_not_write) {
    for (auto const* text : {"Zg", "Zg=", "Zg===", "Zh==", "Z", "Zm9v=", "Zm 9", "=", "Zg==Zg=="}) {
        EXPECT_FALSE(base64_decode(text)) << text;
    }
}

}  // namespace
}  // namespace pgtandem::wire
