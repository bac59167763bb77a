// Reads and judges long statements on threads beside a worker, whose loop serves others meanwhile: a megabyte takes 20 ms to read, and
// PostgreSQL's parser a quarter of a second. A statement runs when it has been read; until it has been judged it is taken for one that
// belongs to the primary.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "io/loop.hpp"
#include "proxy/background_thread.hpp"
#include "sql/analyze.hpp"

namespace pgtandem::proxy {

class StatementJudge {
public:
    struct Statement {
        std::string text;
        bool strings_conform = true;
        std::shared_ptr<sql::CatalogFacts const> facts;
        sql::SearchPath path;
        sql::Analysis analysis{};
    };
    // Comes on the loop.
    using Answer = std::function<void(Statement)>;

    // Of one worker.
    explicit StatementJudge(io::Loop& loop) : loop_(loop) {}

    // Clients wait for what is read: where there is no room, until there is. 'go_on' is called on the loop.
    bool has_room() const { return read_bytes_ < read_bytes_max; }
    void wait_for_room(std::function<void()> go_on) { waiting_for_room_.push_back(std::move(go_on)); }
    // All of its analysis but the verdict.
    void read(Statement statement, std::uint64_t fingerprint_seed, Answer answer);
    // Adds the verdict. Where too much waits already there is no answer.
    void judge(Statement statement, Answer answer);

private:
    static constexpr std::size_t read_bytes_max = 4 << 20;

    void has_read(std::size_t bytes);

    io::Loop& loop_;
    std::size_t read_bytes_ = 0;
    std::size_t judged_bytes_ = 0;
    std::deque<std::function<void()>> waiting_for_room_;
    // A verdict takes ten times as long, and nobody waits for it.
    BackgroundThread reads_{"reads texts"};
    BackgroundThread judges_{"judges texts"};
};

}  // namespace pgtandem::proxy
