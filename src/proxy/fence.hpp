// Waiting until the primary shows all that a replica has shown: what is compared. The Prober asks the servers.
//
// A transaction that the primary does not show yet may have been read on the replica: its commit's record has been written and
// replayed, and its own backend has not come to say that it is over. So the primary's snapshot is taken first, the replica is
// asked which of the transactions beyond it are committed there, and those are waited for.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgtandem::proxy {

// What a server shows: what has ended before it was taken.
struct Snapshot {
    std::uint64_t xmax = 0;           // this one and all later ones have not ended
    std::vector<std::uint64_t> xip{};  // before it, those that run

    bool shows_end_of(std::uint64_t xid) const;
};

// "740:745:741,743", as pg_snapshot prints it.
std::optional<Snapshot> parse_snapshot(std::string_view text);
// "741,743"
std::optional<std::vector<std::uint64_t>> parse_xids(std::string_view text);

class Fence {
public:
    // What it waits for: the replica's answer to question(), or a sample that shows the end of what the answer named. Each
    // needs a sample with its ticket first.
    enum class Step { idle, wants_answer, wants_end };

    Step step() const { return step_; }
    std::vector<std::uint64_t> const& awaited() const { return awaited_; }
    std::uint64_t ticket() const { return ticket_; }
    // The fences that this run is good for.
    std::uint64_t covers() const { return covers_; }

    void begin(std::uint64_t covers, std::uint64_t ticket);
    // The sample it waited for is of no use: with another one, or from the beginning.
    void wait_for(std::uint64_t ticket) { ticket_ = ticket; }
    void begin_again(std::uint64_t ticket);

    // Arguments of the question to the replica: '{741,743}', 745.
    std::string question(Snapshot const& primary);
    // How far the replica shows, and which of those that the snapshot did not show are committed there. Not idle after that: it
    // waits for a newer sample.
    void take_answer(std::uint64_t replica_xmax, std::vector<std::uint64_t> committed);
    void take_end(Snapshot const& primary);

private:
    Step step_ = Step::idle;
    std::uint64_t covers_ = 0;
    std::uint64_t ticket_ = 0;
    std::uint64_t asked_up_to_ = 0;  // xid
    std::vector<std::uint64_t> awaited_;
};

}  // namespace pgtandem::proxy
