// What the sessions of one worker want to know of the servers, and what is known. Asked for by many and answered to all of
// them at once: whoever needs something takes a ticket, and an answer whose question was put after that covers it. Of the
// worker's thread; the Prober asks.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include "proxy/fence.hpp"
#include "proxy/residents.hpp"
#include "proxy/server_position.hpp"

namespace pgtandem::proxy {

// How far the primary is: at or above the end of each commit's record that had been acknowledged when a covered ticket was taken.
struct Sample {
    std::uint64_t ticket = 0;    // it covers this one and all before
    std::uint64_t epoch = 0;     // Routing's, when it began
    std::uint64_t flushed = 0;   // LSN: what has been flushed
    // LSN: what has been inserted. A commit that did not wait for its flush (synchronous_commit = off) may lie above 'flushed'.
    std::uint64_t inserted = 0;
    Snapshot shown{};            // what the primary showed then
    // Acknowledged's counts when it began.
    std::uint64_t acknowledged = 0;
    std::uint64_t acknowledged_without_flush = 0;
    bool is_flushed_late = false;  // any commit may lie above 'flushed'
};

// Of one replica.
struct ReplicaWishes {
    std::uint64_t replayed = 0;    // LSN: a session waits for it to have replayed so much
    std::uint64_t last_fence = 0;  // tickets, as Samples' own
    std::uint64_t fenced = 0;

    // A replica shows a commit as soon as it has replayed it; the primary only when whoever made it has been told, or is about
    // to be. Once a ticket is fenced, the primary shows all that this replica had shown when the ticket was taken.
    bool is_fenced(std::uint64_t ticket) const { return fenced >= ticket; }
};

class Samples {
public:
    // Set for all workers once somebody commits without a flush, and others may read that: 'flushed' is not above all that
    // has been shown.
    explicit Samples(std::atomic<bool>& unflushed_commits) : unflushed_(unflushed_commits) {}

    // Never 0.
    std::uint64_t take_ticket() { return ++last_ticket_; }
    std::uint64_t last_ticket() const { return last_ticket_; }
    Sample const& latest() const { return latest_; }
    void publish(Sample sample);
    // LSN: at or above the end of each commit up to this one of Acknowledged; nothing where no sample of this primary covers it yet.
    std::optional<std::uint64_t> position_of(std::uint64_t acknowledged, std::uint64_t epoch) const;
    bool is_wanted() const { return latest_.ticket < last_ticket_; }

    // Of one count for all replicas: a ticket from before a replica was lost is not taken for one from after.
    std::uint64_t take_fence(ReplicaWishes& wishes) { return wishes.last_fence = ++last_fence_; }
    ReplicaWishes& of(ServerPosition const& replica) { return wishes_[replica.id()]; }
    void forget(std::uint64_t replica) { wishes_.erase(replica); }

    // Sessions that wait for an answer: while there are any, it is asked for at once.
    void begin_wait() { ++waiting_; }
    void end_wait() { --waiting_; }
    bool has_waiters() const { return waiting_ > 0; }

    Residents& residents() { return residents_; }

    void note_unflushed_commits() { unflushed_ = true; }
    bool has_unflushed_commits() const { return unflushed_.load(std::memory_order_relaxed); }

private:
    std::atomic<bool>& unflushed_;
    Residents residents_;
    int waiting_ = 0;
    std::uint64_t last_ticket_ = 0;
    std::uint64_t last_fence_ = 0;
    Sample latest_;
    struct Covered {
        std::uint64_t acknowledged;
        std::uint64_t position;
    };
    std::deque<Covered> covered_;  // of the last samples' epoch; both rise
    std::unordered_map<std::uint64_t, ReplicaWishes> wishes_;
};

}  // namespace pgtandem::proxy
