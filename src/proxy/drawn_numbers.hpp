// Numbers of sequences: a backend remembers those that a session has drawn on it, for currval and lastval, and forgets them before
// another session gets it. Hardly any session asks. Where one does, a statement whose numbers were asked for keeps its backend for its
// session for a moment, so that a session that asks at once is told; it is not pinned, and others wait for that moment at most. Pure.
#pragma once
#include <cstdint>
#include <unordered_map>

#include "base/deadline.hpp"

namespace pgtandem::proxy {

// For so long a backend is kept for the session that may ask for the number it has drawn there,
inline constexpr auto kept_for_question = std::chrono::milliseconds(1000);
// that has asked, and may do so again,
inline constexpr auto kept_after_question = std::chrono::milliseconds(100);
// for so long after it has drawn it;
inline constexpr auto longest_questions = std::chrono::seconds(5);
// what has been asked for is not kept from a session that has waited for a backend for so long.
inline constexpr auto patience_with_questions = std::chrono::seconds(2);

// As a backend has it that is free.
struct KeptNumbers {
    Clock::time_point until{};
    bool were_asked_for = false;

    bool may_go(Clock::time_point now, Clock::time_point waiting_since) const {
        return now >= until || (were_asked_for && now >= waiting_since + patience_with_questions);
    }
};

// Whether numbers are asked for, as far as it is known. Asked and asked again: yes. Too often not, or not for a minute: no.
class NumberHabit {
public:
    void asked(Clock::time_point now);
    void in_vain(Clock::time_point now);
    bool holds(Clock::time_point now) const;
    bool is_forgotten(Clock::time_point now) const { return now >= not_before_ && !holds(now); }

private:
    int score_ = 0;
    Clock::time_point asked_at_{};
    Clock::time_point not_before_{};  // it is not taken up again
};

// Of the statements of one database that draw numbers, by what they have in common but for their literals.
class NumberHabits {
public:
    void asked(std::uint64_t statement, Clock::time_point now);
    void in_vain(std::uint64_t statement, Clock::time_point now);
    bool holds(std::uint64_t statement, Clock::time_point now) const;
    std::size_t size() const { return habits_.size(); }

private:
    std::unordered_map<std::uint64_t, NumberHabit> habits_;
};

// What one session has drawn last, and whether it asks.
class SessionNumbers {
public:
    // A statement is about to run on a backend.
    void runs(std::uint64_t statement, bool draws, bool asks, std::uint64_t backend, NumberHabits& habits, Clock::time_point now);
    // The backend is given up for now: what it keeps.
    KeptNumbers given_back(std::uint64_t backend, NumberHabits const& habits, Clock::time_point now);
    // The session ends.
    void left(NumberHabits& habits, Clock::time_point now) { replaced(habits, now); }

    bool has_drawn() const { return backend_ != 0; }
    // The backend it has drawn on last.
    std::uint64_t backend() const { return backend_; }

private:
    void asked(NumberHabits& habits, Clock::time_point now);
    void replaced(NumberHabits& habits, Clock::time_point now);

    NumberHabit habit_;
    std::uint64_t backend_ = 0;
    std::uint64_t source_ = 0;  // the statement that has drawn what may be asked for; 0: none
    Clock::time_point drawn_at_{};
    bool was_asked_for_ = false;
    bool was_kept_ = false;
    Clock::time_point kept_from_{};  // given up for the first time since it was drawn, or asked for
};

}  // namespace pgtandem::proxy
