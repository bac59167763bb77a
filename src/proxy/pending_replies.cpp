#include "proxy/pending_replies.hpp"

#include <algorithm>
#include <cassert>

namespace pgtandem::proxy {

namespace {

void release(std::string& text) {
    constexpr std::size_t kept = 64;
    if (text.capacity() > kept) std::string().swap(text);
}

// What an entry that is used again must not hold on to.
void release(Expected& entry) {
    entry.analysis.reset();
    entry.prepared.reset();
    entry.before.reset();
    release(entry.name);
    release(entry.local);
    if (entry.undo) entry.undo = nullptr;
}

}  // namespace

void PendingReplies::count(Expected const& entry, int by) {
    if (entry.ends_in_ready()) ready_ += by;
    if (entry.changes_session) changing_ += by;
    if (entry.changes_names) naming_ += by;
    if (entry.learns == Learns::compare) comparing_ += by;
    assert(ready_ >= 0 && changing_ >= 0 && naming_ >= 0 && comparing_ >= 0);
}

void PendingReplies::grow() {
    std::vector<Expected> larger(std::max(least_places, 2 * ring_.size()));
    for (std::size_t index = 0; index < size_; ++index) larger[index] = std::move((*this)[index]);
    ring_ = std::move(larger);
    head_ = 0;
}

void PendingReplies::push(Expected&& entry) {
    if (size_ == ring_.size()) grow();
    ++pushed_;
    count(entry, 1);
    ring_[place_of(size_)] = std::move(entry);
    ++size_;
}

void PendingReplies::pop() {
    assert(!empty());
    count(front(), -1);
    release(front());
    ++head_;
    ++popped_;
    --size_;
    if (size_ == 0 && ring_.size() > kept_places) clear();
}

void PendingReplies::erase(std::size_t index) {
    assert(index < size());
    count((*this)[index], -1);
    for (; index + 1 < size_; ++index) (*this)[index] = std::move((*this)[index + 1]);
    release(back());
    --size_;
}

void PendingReplies::clear() {
    std::vector<Expected>().swap(ring_);
    head_ = size_ = 0;
    ready_ = changing_ = naming_ = comparing_ = 0;
}

bool PendingReplies::ends_in_our_sync() const {
    for (std::size_t index = 0; index < size_; ++index) {
        if ((*this)[index].what == Expect::sync) return (*this)[index].is_ours;
    }
    return false;
}

bool PendingReplies::batch_has_ours() const {
    for (std::size_t index = size_; index > 0 && !(*this)[index - 1].ends_in_ready(); --index) {
        if ((*this)[index - 1].is_ours) return true;
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
