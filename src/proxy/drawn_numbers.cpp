#include "proxy/drawn_numbers.hpp"

#include <algorithm>

namespace pgtandem::proxy {

namespace {

// A question makes up for so many draws without one.
constexpr int first_score = 4;
constexpr int most_score = 8;
// So long a habit holds that is not confirmed; and so long it is not taken up again when it did not.
constexpr auto memory = std::chrono::seconds(60);
constexpr std::size_t most_habits = 1000;

}  // namespace

void NumberHabit::asked(Clock::time_point now) {
    if (now < not_before_) return;
    score_ = holds(now) ? std::min(score_ + 1, most_score) : first_score;
    asked_at_ = now;
}

void NumberHabit::in_vain(Clock::time_point now) {
    if (holds(now) && --score_ == 0) not_before_ = now + memory;
}

bool NumberHabit::holds(Clock::time_point now) const { return score_ > 0 && now < asked_at_ + memory; }

void NumberHabits::asked(std::uint64_t statement, Clock::time_point now) {
    if (habits_.size() >= most_habits && !habits_.contains(statement)) {
        std::erase_if(habits_, [&](auto const& known) { return known.second.is_forgotten(now); });
        if (habits_.size() >= most_habits) habits_.erase(habits_.begin());
    }
    habits_[statement].asked(now);
}

void NumberHabits::in_vain(std::uint64_t statement, Clock::time_point now) {
    if (auto const found = habits_.find(statement); found != habits_.end()) found->second.in_vain(now);
}

bool NumberHabits::holds(std::uint64_t statement, Clock::time_point now) const {
    auto const found = habits_.find(statement);
    return found != habits_.end() && found->second.holds(now);
}

void SessionNumbers::runs(std::uint64_t statement, bool draws, bool asks, std::uint64_t backend, NumberHabits& habits, Clock::time_point now) {
    bool const is_source_here = source_ != 0 && backend == backend_ && now < drawn_at_ + longest_questions;
    // What a statement draws and asks for itself, as a trigger does, is no question after another one's numbers.
    bool const asks_for_earlier = asks && is_source_here && source_ != statement;
    if (asks_for_earlier) asked(habits, now);
    if (!draws) return;
    backend_ = backend;
    if (asks_for_earlier) return;
    replaced(habits, now);
    source_ = asks ? 0 : statement;
    drawn_at_ = now;
}

void SessionNumbers::asked(NumberHabits& habits, Clock::time_point now) {
    habit_.asked(now);
    habits.asked(source_, now);
    was_asked_for_ = true;
    kept_from_ = {};
}

// What was kept and not asked for was kept in vain.
void SessionNumbers::replaced(NumberHabits& habits, Clock::time_point now) {
    if (source_ != 0 && was_kept_ && !was_asked_for_) {
        habit_.in_vain(now);
        habits.in_vain(source_, now);
    }
    source_ = 0;
    was_asked_for_ = was_kept_ = false;
    kept_from_ = {};
}

KeptNumbers SessionNumbers::given_back(std::uint64_t backend, NumberHabits const& habits, Clock::time_point now) {
    bool const is_expected = source_ != 0 && backend == backend_ && (habit_.holds(now) || habits.holds(source_, now));
    if (!is_expected) return {};
    was_kept_ = true;
    if (kept_from_ == Clock::time_point()) kept_from_ = now;
    return {kept_from_ + (was_asked_for_ ? kept_after_question : kept_for_question), was_asked_for_};
}

}  // namespace pgtandem::proxy
