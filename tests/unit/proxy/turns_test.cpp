#include "proxy/turns.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>

namespace pgtandem::proxy {
namespace {

using namespace std::chrono_literals;

// Sessions, pools and backends without any: a pool's backends are free or run a session's transaction.
struct Hall;

class TestLine final : public Line {
public:
    TestLine(Hall& hall, Room& group, Room& server, int database) : Line(group), hall_(hall), server_(server), database_(database) {}

    std::vector<FreeBackend> free;
    std::vector<FreeBackend> busy;
    std::size_t opening = 0;
    std::set<std::uint64_t> only;  // a free backend fits these sessions alone; empty: all

private:
    std::uint64_t take_free(std::uint64_t session, Clock::time_point since) override;
    void give(std::uint64_t session, std::uint64_t backend) override;
    std::size_t free_count() const override { return free.size(); }
    std::vector<FreeBackend> free_backends() const override { return free; }
    void end_free(std::uint64_t backend) override;
    std::size_t on_their_way() const override { return opening; }
    Room* server_to_open() override { return &server_; }
    void open() override;
    bool is_stranger_to(Line const& other) const override { return database_ != static_cast<TestLine const&>(other).database_; }
    void look_again_at(Clock::time_point when) override;

    Hall& hall_;
    Room& server_;
    int database_;
};

struct Hall {
    explicit Hall(std::size_t of_server) : server(of_server) {}

    TestLine& line(Room& group, int database = 0) { return *lines.emplace_back(std::make_unique<TestLine>(*this, group, server, database)); }
    void serve() {
        for (auto const& line : lines) line->serve(now);
        server.serve_wanting(now);
    }
    // What was begun to be opened is there; then the sessions that wait are served.
    void settle() {
        for (bool is_settled = false; !is_settled;) {
            serve();
            is_settled = true;
            for (auto const& line : lines) {
                if (line->opening == 0) continue;
                line->free.push_back({++last_backend, now, now, &server});
                --line->opening;
                is_settled = false;
            }
        }
    }
    void ask(TestLine& line, std::uint64_t session) { line.join(session, now); }
    void finish(TestLine& line, std::size_t which = 0) {
        auto backend = line.busy[which];
        line.busy.erase(line.busy.begin() + static_cast<std::ptrdiff_t>(which));
        backend.used_at = now;
        line.free.push_back(backend);
    }
    bool has_served(std::uint64_t session) const { return std::ranges::find(served, session) != served.end(); }

    Room server;
    std::vector<std::unique_ptr<TestLine>> lines{};
    std::vector<std::uint64_t> served{};
    std::uint64_t last_backend = 0;
    std::size_t opened = 0;
    Clock::time_point now{1h};
    std::optional<Clock::time_point> looks_again{};
};

std::uint64_t TestLine::take_free(std::uint64_t session, Clock::time_point) {
    if (free.empty() || (!only.empty() && !only.contains(session))) return 0;
    busy.push_back(free.back());
    free.pop_back();
    return busy.back().id;
}

void TestLine::give(std::uint64_t session, std::uint64_t) { hall_.served.push_back(session); }

void TestLine::end_free(std::uint64_t backend) {
    ASSERT_EQ(std::erase_if(free, [&](auto const& known) { return known.id == backend; }), 1U);
    vacate(server_);
}

void TestLine::open() {
    ++opening;
    ++hall_.opened;
    occupy(server_);
}

void TestLine::look_again_at(Clock::time_point when) { hall_.looks_again = std::min(hall_.looks_again.value_or(when), when); }

TEST(gives_way, a_room_goes_to_the_session_that_has_waited_longer) {
    Clock::time_point const now{1h};
    struct Row {
        Clock::duration made_before;
        std::optional<Clock::duration> own_waits;
        Clock::duration other_waits;
        bool other_has_backends;
        bool gives_way;
    };
    for (auto const& row : {Row{10s, {}, 0ms, true, true}, Row{10s, {}, 0ms, false, true},
                            // A young one, of whom nobody needs it: not to have one more.
                            Row{1ms, {}, 5s, true, false}, Row{1ms, {}, 0ms, false, true},
                            Row{10s, 1s, 2s, true, true}, Row{10s, 1s, 2s, false, true}, Row{10s, 2s, 1s, false, false},
                            Row{10s, 1s, 1s + margin, false, false}, Row{1ms, 1s, 2s, false, false}}) {
        auto const own = row.own_waits ? std::optional(now - *row.own_waits) : std::nullopt;
        EXPECT_EQ(gives_way({now - row.made_before, own}, {now - row.other_waits, row.other_has_backends}, now), row.gives_way);
    }
}

TEST(Line, sessions_are_served_in_the_order_of_their_coming) {
    Room group(5);
    Hall hall(1);
    auto& line = hall.line(group);
    for (std::uint64_t session = 1; session <= 3; ++session) hall.ask(line, session);
    EXPECT_TRUE(line.leave(2));
    EXPECT_FALSE(line.leave(2));
    hall.settle();
    EXPECT_EQ(hall.served, (std::vector<std::uint64_t>{1}));
    hall.finish(line);
    hall.settle();
    EXPECT_EQ(hall.served, (std::vector<std::uint64_t>{1, 3}));
    EXPECT_EQ(hall.opened, 1U);
}

TEST(Line, a_pool_without_a_backend_gets_the_room_of_another_when_it_becomes_free) {
    Room groups[3]{Room(5), Room(5), Room(5)};
    Hall hall(2);
    for (auto& group : groups) hall.line(group);
    for (std::uint64_t session = 0; session < 3; ++session) hall.ask(*hall.lines[session], session + 1);
    hall.settle();
    EXPECT_FALSE(hall.has_served(3));
    hall.finish(*hall.lines[0]);
    hall.settle();
    EXPECT_TRUE(hall.has_served(3));
    EXPECT_EQ(hall.server.used(), 2U);
}

TEST(Line, a_pool_of_the_same_group_gets_the_room_at_the_groups_limit) {
    Room group(1);
    Hall hall(9);
    auto& first = hall.line(group);
    auto& second = hall.line(group);
    hall.ask(first, 1);
    hall.settle();
    hall.ask(second, 2);
    hall.settle();
    EXPECT_FALSE(hall.has_served(2));
    hall.finish(first);
    hall.settle();
    EXPECT_TRUE(hall.has_served(2));
    EXPECT_EQ(group.used(), 1U);
}

TEST(Line, a_free_backend_of_the_same_database_goes_first) {
    Room groups[3]{Room(5), Room(5), Room(5)};
    Hall hall(2);
    auto& stranger = hall.line(groups[0], 1);
    auto& sibling = hall.line(groups[1]);
    auto& needy = hall.line(groups[2]);
    hall.ask(stranger, 1);
    hall.ask(sibling, 2);
    hall.settle();
    hall.finish(stranger);
    hall.now += 1s;
    hall.finish(sibling);
    hall.ask(needy, 3);
    hall.settle();
    EXPECT_EQ(stranger.free.size(), 1U);
    EXPECT_TRUE(sibling.free.empty());
}

TEST(Line, what_is_kept_for_a_session_is_not_ended_and_looked_at_again_in_time) {
    Room groups[2]{Room(5), Room(5)};
    Hall hall(1);
    auto& keeper = hall.line(groups[0]);
    auto& needy = hall.line(groups[1]);
    hall.ask(keeper, 1);
    hall.settle();
    hall.finish(keeper);
    auto const until = hall.now + 1s;
    keeper.free.front().kept.until = until;
    hall.ask(needy, 2);
    hall.settle();
    EXPECT_FALSE(hall.has_served(2));
    EXPECT_EQ(hall.looks_again, until);
    hall.now = until;
    hall.settle();
    EXPECT_TRUE(hall.has_served(2));
}

TEST(Line, a_backend_that_fits_no_session_that_waits_makes_room_for_one_that_does) {
    Room group(1);
    Hall hall(1);
    auto& line = hall.line(group);
    hall.ask(line, 1);
    hall.settle();
    hall.finish(line);
    line.only = {1};
    hall.ask(line, 2);
    hall.serve();
    EXPECT_EQ(hall.opened, 2U);
    line.only = {};
    hall.settle();
    EXPECT_TRUE(hall.has_served(2));
}

// Sessions come, wait, run and leave at random. After each step: no limit is passed; no session waits while there is a free backend of
// its pool or room that it may use; and none waits for much longer than all others of its time needed.
class Histories : public testing::TestWithParam<unsigned> {};

struct History {
    static constexpr Clock::duration longest_run = 300ms;

    explicit History(unsigned seed) : random(seed), hall(1 + random() % 6) {
        for (auto count = 1 + random() % 4; count > 0; --count) groups.push_back(std::make_unique<Room>(1 + random() % 4));
        for (auto count = 1 + random() % 8; count > 0; --count) hall.line(*groups[random() % groups.size()], static_cast<int>(random() % 2));
    }

    void step() {
        hall.now += std::chrono::milliseconds(random() % 20);
        auto& line = *hall.lines[random() % hall.lines.size()];
        if (random() % 3 != 0 && since.size() < 40) {
            since[++last_session] = {hall.now, &line};
            hall.ask(line, last_session);
        }
        if (random() % 40 == 0 && last_session > 0) {
            auto const session = 1 + random() % last_session;
            if (auto const found = since.find(session); found != since.end() && found->second.second->leave(session)) since.erase(found);
        }
        for (auto const& each : hall.lines) {
            for (auto which = each->busy.size(); which > 0; --which) {
                if (random() % 10 == 0) hall.finish(*each, which - 1);
            }
        }
        hall.settle();
        for (auto const session : hall.served) since.erase(session);
        hall.served.clear();
    }

    void check() const {
        EXPECT_LE(hall.server.used(), hall.server.most());
        for (auto const& group : groups) EXPECT_LE(group->used(), group->most());
        bool is_any_idle = false;
        for (auto const& line : hall.lines) {
            is_any_idle = is_any_idle || std::ranges::any_of(line->free, [&](auto const& backend) { return hall.now >= backend.made_at + tenure; });
        }
        for (auto const& line : hall.lines) {
            if (line->waiting() == 0) continue;
            EXPECT_TRUE(line->free.empty());
            auto const is_full = [&](auto const& group) { return group->is_full(); };
            EXPECT_TRUE(hall.server.is_full() || std::ranges::any_of(groups, is_full));
            // At the server's limit, a backend that nobody needs is given up for this pool, unless its group's own limit is reached.
            bool const may_be_for_groups = std::ranges::any_of(groups, is_full);
            EXPECT_TRUE(!is_any_idle || may_be_for_groups);
        }
        for (auto const& [session, waits] : since) {
            // At most 40 others were before it; each took its turn of 'longest_run' or so, and 'tenure' and 'margin' may come on top.
            EXPECT_LT(hall.now - waits.first, 40 * (longest_run + tenure + margin)) << "session " << session;
        }
    }

    std::mt19937 random;
    std::vector<std::unique_ptr<Room>> groups{};
    Hall hall;
    std::map<std::uint64_t, std::pair<Clock::time_point, TestLine*>> since{};
    std::uint64_t last_session = 0;
};

TEST_P(Histories, no_session_waits_beside_room_that_it_may_use) {
    History history(GetParam());
    for (int count = 0; count < 3000 && !HasFailure(); ++count) {
        history.step();
        history.check();
    }
}

INSTANTIATE_TEST_SUITE_P(random, Histories, testing::Range(1U, 41U));

// A pool whose sessions come without a pause has the backend in turns with another.
TEST(Line, a_busy_pool_does_not_starve_another) {
    Room groups[2]{Room(5), Room(5)};
    Hall hall(1);
    auto& busy = hall.line(groups[0]);
    auto& other = hall.line(groups[1]);
    std::uint64_t session = 1000;
    for (int count = 0; count < 5; ++count) hall.ask(busy, ++session);
    hall.settle();
    hall.ask(other, 1);
    for (int count = 0; count < 100 && !hall.has_served(1); ++count) {
        hall.now += 10ms;
        hall.finish(busy);
        hall.ask(busy, ++session);
        hall.settle();
    }
    EXPECT_TRUE(hall.has_served(1));
    EXPECT_LT(hall.now - Clock::time_point(1h), 1s);
    // With all that wait equally long, rooms do not change hands with each transaction.
    EXPECT_LE(hall.opened, 3U);
}

}  // namespace
}  // namespace pgtandem::proxy
