#include <gtest/gtest.h>
#include <netinet/in.h>

#include "io/loop.hpp"

namespace pgtandem::io {

TEST(SocketAddress, reads_both_kinds_of_numeric_addresses) {
    EXPECT_EQ(SocketAddress::tcp("127.0.0.1", 5432)->storage.ss_family, AF_INET);
    auto const six = SocketAddress::tcp("::1", 5432);
    ASSERT_TRUE(six);
    EXPECT_EQ(six->storage.ss_family, AF_INET6);
    EXPECT_EQ(six->length, sizeof(sockaddr_in6));
}

TEST(SocketAddress, refuses_names_and_paths_that_do_not_fit) {
    EXPECT_FALSE(SocketAddress::tcp("localhost", 5432));
    EXPECT_FALSE(SocketAddress::unix_socket(""));
    EXPECT_TRUE(SocketAddress::unix_socket(std::string(107, 'a')));
    EXPECT_FALSE(SocketAddress::unix_socket(std::string(108, 'a')));
}

}  // namespace pgtandem::io
