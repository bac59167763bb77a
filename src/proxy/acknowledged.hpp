// What this endpoint has acknowledged to its clients, counted: a read that is to see all of it takes the count as it is when the
// read begins, and a sample of the primary whose question was put at this count or a later one is above all of it. Of all
// workers; thread-safe.
//
// Counted by relations too, as far as a statement's are known. Several relations may share a slot: a read then waits for what it
// would not have to see, and no memory grows.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "sql/touched.hpp"

namespace pgtandem::proxy {

class Acknowledged {
public:
    // A commit is about to be acknowledged to its client. 'without_flush': its record may not have been flushed yet.
    // 'database' is a number of its own for each.
    void note(sql::Touched const& written, std::uint64_t database, bool without_flush);

    std::uint64_t last() const { return last_.load(std::memory_order_acquire); }
    // Of those that may have written what is read; 0: none.
    std::uint64_t last_of(sql::Touched const& read, std::uint64_t database) const;
    std::uint64_t last_without_flush() const { return last_without_flush_.load(std::memory_order_acquire); }

    // Another process serves clients of the same endpoint too: the one before a takeover, or the one after it. What it acknowledges
    // is not counted here.
    enum class Other : std::uint8_t { former, next };
    void set_other(Other other, bool serves);
    bool is_shared() const { return others_[0].load(std::memory_order_acquire) || others_[1].load(std::memory_order_acquire); }

private:
    static constexpr std::size_t slots = 4096;
    static std::size_t slot_of(std::uint64_t relation, std::uint64_t database) { return (relation ^ database) % slots; }

    std::atomic<std::uint64_t> last_{0};
    std::atomic<std::uint64_t> last_unknown_{0};  // whose relations are not known
    std::atomic<std::uint64_t> last_without_flush_{0};
    std::array<std::atomic<bool>, 2> others_{};
    std::array<std::atomic<std::uint64_t>, slots> by_relation_{};
};

}  // namespace pgtandem::proxy
