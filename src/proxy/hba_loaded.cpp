#include "proxy/hba_loaded.hpp"

#include <algorithm>
#include <utility>

namespace pgtandem::proxy {

namespace {

// More changes than these about a load are nobody's work: then nothing is known, until the next load.
constexpr std::size_t candidates_max = 8;

}  // namespace

void HbaLoaded::take(HbaLook look) {
    bool const was_loaded = std::exchange(load_time_, look.load_time) != look.load_time;
    if (!look.lines) return;
    if (look.changed_at <= look.load_time) {
        if (was_loaded || candidates_.empty()) candidates_ = {std::move(*look.lines)};
    } else if (!candidates_.empty() && (was_loaded || look.may_have_loaded_unseen)) {
        add(std::move(*look.lines));
    }
}

void HbaLoaded::add(HbaLines lines) {
    if (std::ranges::find(candidates_, lines) == candidates_.end()) candidates_.push_back(std::move(lines));
    if (candidates_.size() > candidates_max) candidates_.clear();
}

}  // namespace pgtandem::proxy
