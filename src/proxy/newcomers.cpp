#include "proxy/newcomers.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

namespace pgtandem::proxy {

void Newcomers::add(std::uint64_t id, std::string const& address) {
    auto& ids = of_address_[address];
    by_count_.erase({ids.size(), address});
    ids.insert(id);
    by_count_.emplace(ids.size(), address);
    addresses_[id] = address;
}

void Newcomers::remove(std::uint64_t id) {
    auto const known = addresses_.find(id);
    if (known == addresses_.end()) return;
    auto const address = std::move(known->second);
    addresses_.erase(known);
    auto const found = of_address_.find(address);
    by_count_.erase({found->second.size(), address});
    found->second.erase(id);
    if (found->second.empty()) of_address_.erase(found);
    else by_count_.emplace(found->second.size(), address);
}

std::optional<std::uint64_t> Newcomers::first_to_go() const {
    if (by_count_.empty()) return std::nullopt;
    return *of_address_.at(by_count_.rbegin()->second).begin();
}

std::string origin_of(int fd) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
    if (storage.ss_family == AF_INET) {
        auto const& address = reinterpret_cast<sockaddr_in const&>(storage).sin_addr;
        return {reinterpret_cast<char const*>(&address), sizeof address};
    }
    constexpr std::size_t network_bytes = 8;
    if (storage.ss_family == AF_INET6) {
        auto const& address = reinterpret_cast<sockaddr_in6 const&>(storage).sin6_addr;
        // At a socket for both kinds an IPv4 address is mapped into one network, which is not one client's.
        if (IN6_IS_ADDR_V4MAPPED(&address)) return {reinterpret_cast<char const*>(&address.s6_addr[12]), sizeof(in_addr)};
        return {reinterpret_cast<char const*>(&address), network_bytes};
    }
    return {};
}

}  // namespace pgtandem::proxy
