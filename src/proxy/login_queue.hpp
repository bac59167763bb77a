// Logins that wait for their look-up: taken in turn by the address they come from, dropped when their client has left, and
// bounded. Where it is full, the address with the most of them loses its newest.
#pragma once
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "proxy/network.hpp"

namespace pgtandem::proxy {

// Whoever has an IPv6 address has a network of them, of 64 bits at least.
inline std::string login_source(std::string const& peer_address) {
    auto const peer = IpAddress::parse(peer_address);
    if (!peer || !peer->is_v6) return peer_address;
    return "v6 " + std::string(reinterpret_cast<char const*>(peer->bytes.data()), 8);
}

template <typename Item>
class LoginQueue {
public:
    explicit LoginQueue(std::size_t most) : most_(most) {}

    // Gives what has lost its place, which may be the new one. Each id once.
    std::optional<Item> push(std::uint64_t id, std::string const& source, Item item) {
        auto& [entries, turn] = sources_[source];
        if (entries.empty()) turn = turns_.insert(turns_.end(), source);
        entries.push_back({id, std::move(item)});
        places_[id] = {source, std::prev(entries.end())};
        resize(source, entries.size() - 1, entries.size());
        return places_.size() > most_ ? take(sources_[sizes_.rbegin()->second].entries.back().id) : std::nullopt;
    }

    // The oldest of the source whose turn it is; nothing where none waits.
    std::optional<Item> pop() {
        if (turns_.empty()) return std::nullopt;
        auto const source = turns_.front();
        // The next turn is another's. Before the removal, which takes the turn of a source that has no more.
        turns_.splice(turns_.end(), turns_, turns_.begin());
        return take(sources_[source].entries.front().id);
    }

    void remove(std::uint64_t id) { take(id); }

    std::size_t size() const { return places_.size(); }
    bool empty() const { return places_.empty(); }

private:
    struct Entry {
        std::uint64_t id;
        Item item;
    };
    struct Source {
        std::list<Entry> entries{};
        std::list<std::string>::iterator turn{};
    };
    struct Place {
        std::string source;
        typename std::list<Entry>::iterator entry;
    };

    std::optional<Item> take(std::uint64_t id) {
        auto const place = places_.find(id);
        if (place == places_.end()) return std::nullopt;
        auto const [source, entry] = std::move(place->second);
        places_.erase(place);
        auto& [entries, turn] = sources_[source];
        std::optional<Item> item(std::move(entry->item));
        entries.erase(entry);
        resize(source, entries.size() + 1, entries.size());
        if (entries.empty()) {
            turns_.erase(turn);
            sources_.erase(source);
        }
        return item;
    }

    void resize(std::string const& source, std::size_t before, std::size_t now) {
        sizes_.erase({before, source});
        if (now > 0) sizes_.insert({now, source});
    }

    std::size_t most_;
    std::map<std::string, Source> sources_{};
    std::set<std::pair<std::size_t, std::string>> sizes_{};
    std::list<std::string> turns_{};
    std::unordered_map<std::uint64_t, Place> places_{};
};

}  // namespace pgtandem::proxy
