// Numeric IP addresses and networks, as pg_hba.conf compares them.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgtandem::proxy {

struct IpAddress {
    bool is_v6 = false;
    std::array<std::uint8_t, 16> bytes{};  // the first four of an IPv4 address

    // "10.0.0.1", "fe80::1", "fe80::1%eth0" (the zone is left out); an IPv4 address mapped into IPv6 is taken as IPv4.
    static std::optional<IpAddress> parse(std::string const& text);
    // An address in pg_hba.conf: there "::ffff:0:0" with a short mask is a network of IPv6.
    static std::optional<IpAddress> parse_as_written(std::string const& text);
    bool is_loopback() const;
    bool operator==(IpAddress const&) const = default;
};

struct Network {
    IpAddress address;
    IpAddress mask;
    bool contains(IpAddress const& other) const;
};

// The addresses of this machine's interfaces, with their masks.
std::vector<Network> own_networks();

}  // namespace pgtandem::proxy
