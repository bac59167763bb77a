#include "agent/board.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

namespace pgtandem {

Waker::Waker() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!event_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

void Waker::wake() const {
    std::uint64_t const one = 1;
    [[maybe_unused]] auto const put = ::write(event_.get(), &one, sizeof one);
}

void Waker::wait(Clock::duration longest, int also) const {
    pollfd entries[] = {{event_.get(), POLLIN, 0}, {also, POLLIN, 0}};
    ::poll(entries, 2, Deadline::in(longest).poll_milliseconds());
    std::uint64_t count = 0;
    [[maybe_unused]] auto const got = ::read(event_.get(), &count, sizeof count);
}

BoardView Board::view() const {
    std::lock_guard const guard(mutex_);
    return view_;
}

void Board::set_state(cluster::ClusterState state, std::uint64_t revision) {
    {
        std::lock_guard const guard(mutex_);
        view_.state = std::move(state);
        view_.revision = revision;
    }
    wake_all();
}

void Board::go_down() {
    {
        std::lock_guard const guard(mutex_);
        view_.going_down = true;
    }
    wake_all();
}

void Board::leave() {
    {
        std::lock_guard const guard(mutex_);
        view_.leaving = true;
    }
    wake_all();
}

void Board::set_primary_answers(bool answers) {
    {
        std::lock_guard const guard(mutex_);
        if (view_.primary_answers == answers) return;
        view_.primary_answers = answers;
    }
    wake_all();
}

void Board::set_seen(std::string const& name, NodeSeen seen) {
    {
        std::lock_guard const guard(mutex_);
        auto& entry = view_.seen[name];
        bool const is_news = entry.has_ended != seen.has_ended || entry.settled_revision != seen.settled_revision ||
                             entry.restarting != seen.restarting || entry.streams != seen.streams;
        if (!is_news) return;
        entry = seen;
    }
    wake_all();
}

bool Board::begin_restart(std::string const& name) {
    std::lock_guard const guard(mutex_);
    bool const other_does = std::ranges::any_of(
        view_.seen, [&](auto const& entry) { return entry.first != name && entry.second.restarting; });
    if (!other_does) view_.seen[name].restarting = true;
    return !other_does;
}

Waker const& Board::waker(std::string const& name) {
    std::lock_guard const guard(mutex_);
    auto& waker = wakers_[name];
    if (!waker) waker = std::make_unique<Waker>();
    return *waker;
}

void Board::wake_all() const {
    std::lock_guard const guard(mutex_);
    for (auto const& [name, waker] : wakers_) waker->wake();
}

}  // namespace pgtandem
