// What a conversation waits for: that something is new. One waits, anybody on the same thread signals.
#pragma once
#include <coroutine>
#include <utility>

namespace pgtandem::proxy {

class Event {
public:
    // Resumes the one who waits, at once; a signal before the wait is not lost.
    void signal() {
        if (auto const waiting = std::exchange(waiting_, {})) {
            waiting.resume();
        } else {
            signalled_ = true;
        }
    }

    auto wait() {
        struct Awaiter {
            Event& event;
            bool await_ready() const { return std::exchange(event.signalled_, false); }
            void await_suspend(std::coroutine_handle<> handle) const { event.waiting_ = handle; }
            void await_resume() const {}
        };
        return Awaiter{*this};
    }

private:
    std::coroutine_handle<> waiting_;
    bool signalled_ = false;
};

}  // namespace pgtandem::proxy
