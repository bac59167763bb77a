// What went where, and why: totals of one worker and database, for SHOW ROUTES.
#pragma once
#include <array>
#include <cstdint>

#include "proxy/session_floor.hpp"
#include "sql/reason.hpp"

namespace pgtandem::proxy {

struct RouteCounts {
    static constexpr std::size_t reasons = 32;
    static constexpr std::size_t places = 8;

    std::array<std::uint64_t, reasons> statements{};  // by sql::Reason
    std::array<std::uint64_t, places> reads{};        // by ReadPlace: where what could be read anywhere was read
    std::uint64_t waits = 0;                          // for a sample or a replica
    std::uint64_t wait_microseconds = 0;
    std::uint64_t asked_again = 0;                    // on the primary, what a replica could not answer

    RouteCounts& operator+=(RouteCounts const& other) {
        for (std::size_t index = 0; index < reasons; ++index) statements[index] += other.statements[index];
        for (std::size_t index = 0; index < places; ++index) reads[index] += other.reads[index];
        waits += other.waits;
        wait_microseconds += other.wait_microseconds;
        asked_again += other.asked_again;
        return *this;
    }
};

}  // namespace pgtandem::proxy
