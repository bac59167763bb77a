// Values that must not be mixed get types of their own, one line each.
#pragma once
#include <compare>
#include <concepts>
#include <utility>

namespace pgtandem {

template <class Tag, std::regular Value>
class Strong {
public:
    constexpr Strong() = default;
    constexpr explicit Strong(Value value) : value_(std::move(value)) {}
    constexpr Value const& value() const { return value_; }
    auto operator<=>(Strong const&) const = default;

private:
    Value value_{};
};

}  // namespace pgtandem
