// How long a server that ended by itself is left alone before it is started again. Pure.
#pragma once
#include <algorithm>
#include <chrono>

namespace pgtandem::cluster {

// A server that ran for so long was well: when it ends, it is started again at once.
inline constexpr std::chrono::seconds lasting_life{5};
inline constexpr std::chrono::milliseconds longest_start_pause{15'000};

// 'short_lives': how many starts in a row came to nothing. The first may be chance and costs no time; after that each pause is
// twice the one before: a full disk or a damaged file lasts, and each start writes logs and reads the data.
constexpr std::chrono::milliseconds pause_before_start(int short_lives) {
    constexpr std::chrono::milliseconds first{200};
    if (short_lives < 2) return std::chrono::milliseconds(0);
    return std::min(longest_start_pause, first * (1 << std::min(short_lives - 2, 10)));
}

}  // namespace pgtandem::cluster
