#include "proxy/network.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace pgtandem::proxy {

namespace {

bool contains(char const* address, char const* mask, char const* other) {
    return Network{*IpAddress::parse(address), *IpAddress::parse(mask)}.contains(*IpAddress::parse(other));
}

}  // namespace

TEST(IpAddress, is_read_from_its_numeric_form_only) {
    for (auto const* text : {"127.0.0.1", "::1", "fe80::1%eth0", "2001:db8::7"}) {
        EXPECT_TRUE(IpAddress::parse(text)) << text;
    }
    for (auto const* text : {"", "localhost", "1.2.3", "1.2.3.4.5", "::g", "127.0.0.1/32"}) {
        EXPECT_FALSE(IpAddress::parse(text)) << text;
    }
}

TEST(IpAddress, mapped_into_v6_is_the_v4_address) {
    EXPECT_EQ(IpAddress::parse("::ffff:10.1.2.3"), IpAddress::parse("10.1.2.3"));
}

TEST(IpAddress, mapped_as_it_is_written_stays_v6) {
    auto const mapped = IpAddress::parse_as_written("::ffff:10.1.2.3");
    ASSERT_TRUE(mapped);
    EXPECT_TRUE(mapped->is_v6);
    EXPECT_TRUE((Network{*mapped, *IpAddress::parse("::")}).contains(*IpAddress::parse("2001:db8::1")));
    EXPECT_EQ(IpAddress::parse_as_written("10.1.2.3"), IpAddress::parse("10.1.2.3"));
}

TEST(IpAddress, knows_loopback) {
    for (auto const* text : {"127.0.0.1", "127.9.9.9", "::1"}) EXPECT_TRUE(IpAddress::parse(text)->is_loopback());
    for (auto const* text : {"128.0.0.1", "::2", "1::1", "0.0.0.1"}) EXPECT_FALSE(IpAddress::parse(text)->is_loopback());
}

TEST(Network, contains_what_its_mask_says) {
    EXPECT_TRUE(contains("10.1.0.0", "255.255.0.0", "10.1.255.7"));
    EXPECT_FALSE(contains("10.1.0.0", "255.255.0.0", "10.2.0.0"));
    EXPECT_TRUE(contains("10.1.2.3", "255.255.255.255", "10.1.2.3"));
    EXPECT_TRUE(contains("0.0.0.0", "0.0.0.0", "203.0.113.9"));
    EXPECT_TRUE(contains("2001:db8::", "ffff:ffff::", "2001:db8:1::1"));
    EXPECT_FALSE(contains("2001:db8::", "ffff:ffff::", "2001:db9::1"));
}

TEST(Network, never_mixes_the_families) {
    EXPECT_FALSE(contains("0.0.0.0", "0.0.0.0", "::1"));
    EXPECT_FALSE(contains("::", "::", "127.0.0.1"));
}

TEST(Network, this_machine_has_loopback) {
    auto const own = own_networks();
    EXPECT_TRUE(std::ranges::any_of(own, [](auto const& network) { return network.address.is_loopback(); }));
}

}  // namespace pgtandem::proxy
