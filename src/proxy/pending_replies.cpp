#include "proxy/pending_replies.hpp"

#include <algorithm>
#include <cassert>

namespace pgtandem::proxy {

void PendingReplies::count(Expected const& entry, int by) {
    if (entry.ends_in_ready()) ready_ += by;
    if (entry.changes_session) changing_ += by;
    if (entry.changes_names) naming_ += by;
    if (entry.learns == Learns::compare) comparing_ += by;
    assert(ready_ >= 0 && changing_ >= 0 && naming_ >= 0 && comparing_ >= 0);
}

void PendingReplies::push(Expected entry) {
    ++pushed_;
    count(entry, 1);
    entries_.push_back(std::move(entry));
}

void PendingReplies::pop() {
    assert(!empty());
    count(front(), -1);
    entries_[head_] = Expected();
    ++head_;
    if (head_ > kept_capacity && head_ > size()) {
        entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(head_));
        head_ = 0;
    }
    if (!empty()) return;
    entries_.clear();
    head_ = 0;
    if (entries_.capacity() > kept_capacity) std::vector<Expected>().swap(entries_);
}

void PendingReplies::erase(std::size_t index) {
    assert(index < size());
    count((*this)[index], -1);
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(head_ + index));
    if (empty()) clear();
}

void PendingReplies::clear() {
    entries_.clear();
    head_ = 0;
    ready_ = changing_ = naming_ = comparing_ = 0;
}

bool PendingReplies::ends_in_our_sync() const {
    auto const next = std::find_if(entries_.begin() + static_cast<std::ptrdiff_t>(head_), entries_.end(), [](auto const& entry) { return entry.what == Expect::sync; });
    return next != entries_.end() && next->is_ours;
}

bool PendingReplies::batch_has_ours() const {
    for (std::size_t at = entries_.size(); at > head_ && !entries_[at - 1].ends_in_ready(); --at) {
        if (entries_[at - 1].is_ours) return true;
    }
    return false;
}

bool PendingReplies::fail_until_sync(std::function<void(Expected& entry, bool is_refused)> const& undo) {
    std::size_t end = 0;
    while (end < size() && (*this)[end].what != Expect::sync) ++end;
    bool overlooks_query = false;
    for (std::size_t index = end; index > 0; --index) {
        auto& entry = (*this)[index - 1];
        overlooks_query = overlooks_query || (index > 1 && !entry.is_ours && (entry.what == Expect::query || entry.what == Expect::function_call));
        undo(entry, index == 1);
    }
    for (; end > 0; --end) pop();
    return overlooks_query;
}

}  // namespace pgtandem::proxy
