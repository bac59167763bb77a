// Connections that have not logged in yet. They are anybody's, so they get no more than a share of the places; when that is used
// up, the oldest one of the address that has most of them makes way: who logs in does so in a moment, who says nothing stays.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace pgtandem::proxy {

class Newcomers {
public:
    // Ids rise. 'address': what counts as one origin.
    void add(std::uint64_t id, std::string const& address);
    // It has logged in, or it has gone. Not an error when it is not there.
    void remove(std::uint64_t id);
    std::size_t size() const { return addresses_.size(); }
    std::optional<std::uint64_t> first_to_go() const;

private:
    std::unordered_map<std::uint64_t, std::string> addresses_;
    std::map<std::string, std::set<std::uint64_t>> of_address_;
    std::set<std::pair<std::size_t, std::string>> by_count_;
};

// The peer's address as far as one origin can choose it: for IPv6 the first half, nothing for a Unix socket.
std::string origin_of(int fd);

}  // namespace pgtandem::proxy
