// The responses a backend still owes, in order. Each message that will be answered adds one; the server's messages take them
// away again. Keeps apart the client's own messages and those that the endpoint sends on its behalf. Pure.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/prepared.hpp"
#include "sql/analyze.hpp"

namespace pgtandem::proxy {

enum class Expect : std::uint8_t {
    query,          // until ReadyForQuery
    function_call,  // until ReadyForQuery
    sync,           // ReadyForQuery
    parse,          // ParseComplete
    bind,           // BindComplete
    describe,       // RowDescription or NoData, for a statement after ParameterDescription
    execute,        // CommandComplete, EmptyQueryResponse or PortalSuspended
    close,          // CloseComplete
    copy_end,       // nothing: marks where the client ended its COPY data
    answer,         // nothing from the server: 'local' goes to the client when its turn comes
};

// What the answer to a Describe of a statement is used for.
enum class Learns : std::uint8_t {
    nothing,
    first,    // the statement was parsed for its client: this is what it is
    compare,  // it was parsed anew without the client's asking: it must be what the client was told
};

struct Expected {
    Expect what = Expect::query;
    bool is_ours = false;          // the client did not ask: nothing of it reaches the client
    bool changes_session = false;  // it may change names or settings; what depends on them waits for its answer
    bool changes_names = false;    // parse, close, answer: a named statement of the client's comes or goes
    bool is_of_unnamed = false;    // parse: of the unnamed statement
    bool has_our_name = false;     // the server knows the statement by a name of the endpoint's: in its errors the client's takes its place
    Learns learns = Learns::nothing;
    std::uint16_t statement = 0;  // query: how many statements have completed
    std::shared_ptr<sql::Analysis const> analysis{};  // query, execute: what completes
    PreparedRef prepared{};  // parse, bind, describe: of which statement
    PreparedRef before{};    // parse of the unnamed statement: what the session had before
    std::string name{};      // parse, bind, describe: the client's name of the statement
    std::string local{};     // answer: the message; query, parse: the error the client gets in place of the one this gives
    // Takes back what the message has changed on this side, where the server refuses or overlooks it.
    std::function<void()> undo{};

    bool ends_in_ready() const { return what == Expect::query || what == Expect::function_call || what == Expect::sync; }
};

// A queue over one ring of entries, which are used again: most messages neither allocate nor construct anything.
class PendingReplies {
public:
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    Expected& front() { return (*this)[0]; }
    Expected const& front() const { return (*this)[0]; }
    Expected& back() { return (*this)[size_ - 1]; }
    Expected const& back() const { return (*this)[size_ - 1]; }
    Expected& operator[](std::size_t index) { return ring_[place_of(index)]; }
    Expected const& operator[](std::size_t index) const { return ring_[place_of(index)]; }
    // How many have ever been pushed.
    std::uint64_t pushed() const { return pushed_; }
    // And how many of them are no longer owed, at least.
    std::uint64_t popped() const { return popped_; }
    // At least one ReadyForQuery will come without another message of the client's.
    bool owes_ready() const { return ready_ > 0; }
    // Something unanswered may change names or settings; or it is not certain that it has: only up to the next Sync do an error's
    // followers share its fate.
    bool may_change_session() const { return changing_ > 0 || (naming_ > 0 && ready_ > 0); }
    // A statement that was parsed anew is being compared with what its client was told.
    bool is_comparing() const { return comparing_ > 0; }

    // The next Sync is the endpoint's own: what comes before it is no business of the client's.
    bool ends_in_our_sync() const;
    // Behind the last message that ends in ReadyForQuery stand some of the endpoint's own.
    bool batch_has_ours() const;

    void push(Expected&& entry);
    void pop();
    void erase(std::size_t index);
    void clear();
    // The server has refused the first entry, and overlooks everything up to the next Sync. Undoes and drops those, the last one
    // first. True if a query or a function call of the client's was among those that are overlooked.
    bool fail_until_sync(std::function<void(Expected& entry, bool is_refused)> const& undo);

private:
    static constexpr std::size_t least_places = 8;
    static constexpr std::size_t kept_places = 64;
    // The ring's size is a power of two.
    std::size_t place_of(std::size_t index) const { return (head_ + index) & (ring_.size() - 1); }
    void count(Expected const& entry, int by);
    void grow();

    std::vector<Expected> ring_;
    std::size_t head_ = 0;
    std::size_t size_ = 0;
    std::uint64_t pushed_ = 0;
    std::uint64_t popped_ = 0;
    int ready_ = 0;
    int changing_ = 0;
    int naming_ = 0;
    int comparing_ = 0;
};

}  // namespace pgtandem::proxy
