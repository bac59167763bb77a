// The relations that a statement may read or write, as far as they are known.
#pragma once
#include <cstdint>
#include <vector>

namespace pgtandem::sql {

// Each relation is a number that is the same for all statements which may mean it.
struct Touched {
    bool everything = false;  // or relations that are not known
    std::vector<std::uint64_t> relations{};

    static Touched all() { return {true, {}}; }
    // More than some relations are taken for everything.
    void add(Touched const& other);

    bool operator==(Touched const&) const = default;
};

}  // namespace pgtandem::sql
