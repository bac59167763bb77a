// The responses a backend still owes, in order. Each message that will be answered adds one; what the server says takes them
// away again. Keeps apart what the client asked for and what the proxy asked for on its behalf.
#pragma once
#include <cstdint>
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

struct Expected {
    Expect what;
    bool is_ours = false;        // the client did not ask: nothing of it reaches the client
    bool changes_names = false;  // parse, close, answer: 'name' was changed in the session's names and goes back on an error
    std::uint16_t statement = 0;  // query: how many statements have completed
    std::shared_ptr<sql::Analysis const> analysis{};  // query, execute: what completes
    PreparedRef prepared{};       // parse: what the backend will have; close, answer: what the session had under 'name'; close of ours: what the backend had
    std::string name{};           // also of a parse of ours that brings a statement under the client's name
    std::string local{};          // answer: the message; query, parse: the error the client gets in place of the one this gives
};

// A queue over one vector: empty most of the time, and then without elements to move.
class ExpectedQueue {
public:
    bool empty() const { return head_ == entries_.size(); }
    std::size_t size() const { return entries_.size() - head_; }
    Expected& front() { return entries_[head_]; }
    Expected& back() { return entries_.back(); }
    Expected& operator[](std::size_t index) { return entries_[head_ + index]; }
    void push(Expected entry) { entries_.push_back(std::move(entry)); }
    void pop() {
        entries_[head_] = Expected{Expect::query};
        ++head_;
        if (!empty()) return;
        entries_.clear();
        head_ = 0;
        if (entries_.capacity() > kept_capacity) std::vector<Expected>().swap(entries_);
    }
    void erase(std::size_t index) {
        entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(head_ + index));
        if (empty()) clear();
    }
    void clear() {
        entries_.clear();
        head_ = 0;
    }

private:
    static constexpr std::size_t kept_capacity = 64;
    std::vector<Expected> entries_;
    std::size_t head_ = 0;
};

}  // namespace pgtandem::proxy
