// Values that spread along links until nothing changes: who does what another does does all of that. Each value rises a few times
// at most, and each time goes along the links of its node once: linear in the links, however long their chains are.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pgtandem::sql {

// 'join(a, b)': the least value that is no less than either.
template <class Value, Value (*join)(Value, Value)>
class Spread {
public:
    using Node = std::uint32_t;

    Node add(Value value = {}) {
        values_.push_back(value);
        return static_cast<Node>(values_.size() - 1);
    }
    void raise(Node node, Value value) { values_[node] = join(values_[node], value); }
    // What 'from' has, 'to' has.
    void link(Node from, Node to) { links_.emplace_back(from, to); }
    Value operator[](Node node) const { return values_[node]; }

    void run() {
        auto const begins = sort_links();
        std::vector<Node> risen(values_.size());
        for (Node node = 0; node < risen.size(); ++node) risen[node] = node;
        while (!risen.empty()) {
            auto const node = risen.back();
            risen.pop_back();
            for (auto at = begins[node]; at < begins[node + 1]; ++at) {
                auto& value = values_[links_[at].second];
                auto const joined = join(value, values_[node]);
                if (joined == value) continue;
                value = joined;
                risen.push_back(links_[at].second);
            }
        }
    }

private:
    // By their beginning, in one pass; where those of each node begin.
    std::vector<std::size_t> sort_links() {
        std::vector<std::size_t> begins(values_.size() + 2);
        for (auto const& link : links_) ++begins[link.first + 2];
        for (std::size_t node = 2; node < begins.size(); ++node) begins[node] += begins[node - 1];
        std::vector<std::pair<Node, Node>> sorted(links_.size());
        for (auto const& link : links_) sorted[begins[link.first + 1]++] = link;
        links_ = std::move(sorted);
        return begins;
    }

    std::vector<Value> values_;
    std::vector<std::pair<Node, Node>> links_;
};

// The nodes of things that have names.
template <class Spread>
class NamedNodes {
public:
    using Node = typename Spread::Node;

    explicit NamedNodes(Spread& spread) : spread_(spread) {}

    Node operator[](std::string_view name) {
        auto const found = nodes_.find(name);
        if (found != nodes_.end()) return found->second;
        return nodes_.emplace(name, spread_.add()).first->second;
    }
    bool contains(std::string_view name) const { return nodes_.contains(name); }
    auto value(std::string_view name) const {
        auto const found = nodes_.find(name);
        return found == nodes_.end() ? decltype(spread_[Node()]){} : spread_[found->second];
    }
    auto const& all() const { return nodes_; }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
    };

    Spread& spread_;
    std::unordered_map<std::string, Node, Hash, std::equal_to<>> nodes_;
};

}  // namespace pgtandem::sql
