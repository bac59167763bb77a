// Immutable values that are kept once for each content, so that two of them are equal exactly where their pointers are.
#pragma once
#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <utility>

namespace pgtandem {

template <class Value>
class Interned {
public:
    std::shared_ptr<Value const> get(Value value) {
        if (known_.size() >= forget_at_) {
            std::erase_if(known_, [](auto const& each) { return each.use_count() == 1; });
            forget_at_ = std::max(forget_at_least, 2 * known_.size());
        }
        return *known_.insert(std::make_shared<Value const>(std::move(value))).first;
    }

private:
    // Those that nobody holds are forgotten when there are so many.
    static constexpr std::size_t forget_at_least = 1024;
    struct ByContent {
        bool operator()(std::shared_ptr<Value const> const& left, std::shared_ptr<Value const> const& right) const { return *left < *right; }
    };

    std::set<std::shared_ptr<Value const>, ByContent> known_;
    std::size_t forget_at_ = forget_at_least;
};

}  // namespace pgtandem
