#include "proxy/network.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace pgtandem::proxy {

namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

IpAddress unmapped(IpAddress const& address) {
    if (!address.is_v6 || !std::equal(mapped_prefix.begin(), mapped_prefix.end(), address.bytes.begin())) return address;
    IpAddress v4;
    std::copy_n(address.bytes.begin() + mapped_prefix.size(), 4, v4.bytes.begin());
    return v4;
}

std::optional<IpAddress> address_of(sockaddr const* socket) {
    if (socket == nullptr) return {};
    IpAddress address;
    if (socket->sa_family == AF_INET) {
        std::memcpy(address.bytes.data(), &reinterpret_cast<sockaddr_in const*>(socket)->sin_addr, 4);
        return address;
    }
    if (socket->sa_family != AF_INET6) return {};
    address.is_v6 = true;
    std::memcpy(address.bytes.data(), &reinterpret_cast<sockaddr_in6 const*>(socket)->sin6_addr, 16);
    return address;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string const& text) {
    auto const written = parse_as_written(text);
    return written ? std::optional(unmapped(*written)) : std::nullopt;
}

std::optional<IpAddress> IpAddress::parse_as_written(std::string const& text) {
    IpAddress address;
    if (::inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) return address;
    address.is_v6 = true;
    auto const without_zone = text.substr(0, text.find('%'));
    if (::inet_pton(AF_INET6, without_zone.c_str(), address.bytes.data()) == 1) return address;
    return {};
}

bool IpAddress::is_loopback() const {
    if (!is_v6) return bytes[0] == 127;
    return std::all_of(bytes.begin(), bytes.end() - 1, [](auto byte) { return byte == 0; }) && bytes[15] == 1;
}

bool Network::contains(IpAddress const& other) const {
    if (address.is_v6 != other.is_v6 || mask.is_v6 != other.is_v6) return false;
    for (std::size_t at = 0; at < (other.is_v6 ? 16U : 4U); ++at) {
        if (((address.bytes[at] ^ other.bytes[at]) & mask.bytes[at]) != 0) return false;
    }
    return true;
}

std::vector<Network> own_networks() {
    std::vector<Network> networks;
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) return networks;
    std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> const owner(first, &::freeifaddrs);
    for (auto const* entry = first; entry != nullptr; entry = entry->ifa_next) {
        auto const address = address_of(entry->ifa_addr);
        auto const mask = address_of(entry->ifa_netmask);
        if (address && mask) networks.push_back({*address, *mask});
    }
    return networks;
}

}  // namespace pgtandem::proxy
