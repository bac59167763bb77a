// A stream's bytes, in both directions.
#include "io/connection.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "loop_fixture.hpp"

namespace pgtandem::io {

class StreamTest : public LoopTest {};
PGTANDEM_FOR_BOTH_LOOPS(StreamTest);

TEST_P(StreamTest, what_comes_in_goes_back) {
    auto ends = socket_pair();
    Owner owner(echo);
    auto const stream = loop->adopt(std::move(ends.ours), owner);
    send_all(ends.theirs.get(), "hello");
    std::string back;
    run_until([&] { return (back += receive_some(ends.theirs.get())) == "hello"; });
}

TEST_P(StreamTest, what_is_not_consumed_is_there_again) {
    auto ends = socket_pair();
    std::string seen;
    Owner owner([&](Stream& stream) {
        seen = stream.input();
        stream.consume(std::min<std::size_t>(2, seen.size()));
    });
    auto const stream = loop->adopt(std::move(ends.ours), owner);
    send_all(ends.theirs.get(), "abcd");
    run_until([&] { return owner.events == 1; });
    EXPECT_EQ(stream->input(), "cd");
    send_all(ends.theirs.get(), "ef");
    run_until([&] { return owner.events == 2; });
    EXPECT_EQ(seen, "cdef");
    EXPECT_EQ(stream->input(), "ef");
    stream->consume(2);
    EXPECT_TRUE(stream->input().empty());
}

TEST_P(StreamTest, reading_stops_while_nobody_consumes_and_goes_on_afterwards) {
    auto ends = socket_pair();
    Owner owner;
    auto const stream = loop->adopt(std::move(ends.ours), owner);
    std::string const bytes(4 << 20, 'x');
    std::size_t sent = 0;
    auto const push = [&] {
        auto const count = ::send(ends.theirs.get(), bytes.data(), bytes.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count > 0) sent += static_cast<std::size_t>(count);
        return count > 0;
    };
    run_until([&] { return !push() && stream->input().size() >= input_high; });
    for (int more = 0; more < 20; ++more) turn();
    EXPECT_LT(stream->input().size(), std::size_t{1} << 20);
    Collector collector;
    stream->set_owner(collector);
    std::size_t const first = stream->input().size();
    stream->consume(first);
    run_until([&] { return (push(), first + collector.text.size() == bytes.size()); });
}

TEST_P(StreamTest, a_message_larger_than_the_limit_is_seen_whole_when_asked_for) {
    auto ends = socket_pair();
    std::size_t const size = 3 * input_high;
    Owner owner([&](Stream& stream) { stream.want_input(size); });
    auto const stream = loop->adopt(std::move(ends.ours), owner);
    std::string const bytes(size, 'x');
    std::size_t sent = 0;
    run_until([&] {
        auto const count = ::send(ends.theirs.get(), bytes.data(), size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count > 0) sent += static_cast<std::size_t>(count);
        return stream->input().size() == size;
    });
}

TEST_P(StreamTest, a_slow_reader_gets_everything_and_the_owner_learns_when_it_may_go_on) {
    auto ends = socket_pair();
    Owner owner;
    auto const stream = loop->adopt(std::move(ends.ours), owner);
    std::size_t const size = 8 << 20;
    std::string const block(output_high + 1, 'y');
    std::size_t written = 0;
    std::size_t received = 0;
    std::size_t unsent_max = 0;
    auto const feed = [&](Stream& to) {
        while (written < size && to.unsent() <= output_high) {
            to.output().append(block);
            written += block.size();
        }
        unsent_max = std::max(unsent_max, to.unsent());
        to.flush();
    };
    Owner feeder(feed);
    stream->set_owner(feeder);
    feed(*stream);
    run_until([&] { return (received += receive_some(ends.theirs.get()).size()) >= size && received == written; });
    EXPECT_LE(unsent_max, 2 * block.size());
    EXPECT_GT(feeder.events, 1);
    EXPECT_EQ(stream->unsent(), 0U);
}

// The kernel takes all of it at once, and nothing else happens: the owner still learns that it may go on.
TEST_P(StreamTest, the_owner_learns_that_it_may_go_on_when_nothing_else_happens) {
    auto ends = socket_pair();
    int const room = 4 << 20;
    ASSERT_EQ(::setsockopt(ends.ours.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
    Owner owner([this](Stream& stream) {
        if (stream.unsent() == 0) loop->stop();
    });
    auto const stream = loop->adopt(std::move(ends.ours), owner);
    auto watchdog = loop->make_timer([this] {
        ADD_FAILURE() << "the owner was not told";
        loop->stop();
    });
    watchdog->start(60s);
    loop->post([&] {
        stream->output().append(std::string(output_high + 1, 'x'));
        stream->flush();
    });
    loop->run();
    EXPECT_EQ(owner.events, 1);
}

TEST_P(StreamTest, nothing_is_read_while_paused) {
    auto ends = socket_pair();
    Collector owner;
    auto const stream = loop->adopt(std::move(ends.ours), owner);
    stream->pause_reading();
    std::string const bytes(4 << 20, 'x');
    std::size_t sent = 0;
    auto const push = [&] {
        auto const count = ::send(ends.theirs.get(), bytes.data(), bytes.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count > 0) sent += static_cast<std::size_t>(count);
        return count > 0;
    };
    while (push()) turn();
    for (int more = 0; more < 20; ++more) turn();
    EXPECT_LT(owner.text.size(), bytes.size());
    EXPECT_LT(sent, bytes.size());
    stream->resume_reading();
    run_until([&] { return (push(), owner.text.size() == bytes.size()); });
}

TEST_P(StreamTest, the_end_comes_after_the_rest_and_an_answer_can_still_be_sent) {
    auto ends = socket_pair();
    std::string at_the_end;
    Owner owner([&](Stream& stream) {
        if (!stream.at_end()) return;
        at_the_end = stream.input();
        stream.output().append("bye");
        stream.flush();
    });
    auto const stream = loop->adopt(std::move(ends.ours), owner);
    send_all(ends.theirs.get(), "rest");
    shutdown(ends.theirs.get(), SHUT_WR);
    std::string back;
    run_until([&] { return (back += receive_some(ends.theirs.get())) == "bye"; });
    EXPECT_EQ(at_the_end, "rest");
    EXPECT_EQ(stream->health(), Health::open);
}

// Nothing else happens that would wake the loop.
TEST_P(StreamTest, the_peer_sees_the_end_of_the_output_at_once) {
    auto ends = socket_pair();
    Owner owner;
    auto const stream = loop->adopt(std::move(ends.ours), owner);
    std::string seen;
    std::jthread peer([&] {
        char byte = 0;
        while (::recv(ends.theirs.get(), &byte, 1, 0) == 1) seen += byte;
        loop->stop();
    });
    auto watchdog = loop->make_timer([this] {
        ADD_FAILURE() << "the peer was not told of the end";
        loop->stop();
    });
    watchdog->start(10s);
    loop->post([&] {
        stream->output().append("last");
        stream->end_output();
    });
    loop->run();
    peer.join();
    EXPECT_EQ(seen, "last");
}

TEST_P(StreamTest, the_peers_last_words_are_read_although_sending_to_it_fails) {
    auto ends = socket_pair();
    std::string words;
    Owner owner([&](Stream& stream) {
        words += stream.input();
        stream.consume(stream.input().size());
    });
    auto const stream = loop->adopt(std::move(ends.ours), owner);
    send_all(ends.theirs.get(), "going down");
    ends.theirs.reset();
    stream->output().append("query");
    stream->flush();
    run_until([&] { return stream->health() == Health::broken; });
    EXPECT_EQ(words, "going down");
    EXPECT_EQ(stream->why_broken(), "Broken pipe");
    EXPECT_TRUE(stream->at_end());
}

TEST_P(StreamTest, what_was_flushed_is_offered_to_the_kernel_before_the_stream_closes) {
    auto ends = socket_pair();
    Owner owner;
    auto stream = loop->adopt(std::move(ends.ours), owner);
    stream->output().append("FATAL");
    stream->flush();
    stream.reset();
    std::string back;
    run_until([&] { return (back += receive_some(ends.theirs.get())) == "FATAL"; });
}

TEST_P(StreamTest, the_peer_sees_the_end_when_the_stream_is_destroyed) {
    auto ends = socket_pair();
    Owner owner;
    auto stream = loop->adopt(std::move(ends.ours), owner);
    turn();
    stream.reset();
    char byte = 0;
    run_until([&] { return ::recv(ends.theirs.get(), &byte, 1, MSG_DONTWAIT) == 0; });
}

TEST_P(StreamTest, can_be_destroyed_by_its_own_event) {
    auto ends = socket_pair();
    std::unique_ptr<Stream> stream;
    Owner owner([&](Stream&) { stream.reset(); });
    stream = loop->adopt(std::move(ends.ours), owner);
    send_all(ends.theirs.get(), "x");
    shutdown(ends.theirs.get(), SHUT_WR);
    run_until([&] { return owner.events > 0; });
    turn();
    EXPECT_EQ(owner.events, 1);
}

TEST_P(StreamTest, hears_nothing_more_once_another_ones_event_has_destroyed_it) {
    Ends pairs[2] = {socket_pair(), socket_pair()};
    std::unique_ptr<Stream> streams[2];
    Owner owner([&](Stream& told) { streams[streams[0].get() == &told ? 1 : 0].reset(); });
    for (int each : {0, 1}) {
        send_all(pairs[each].theirs.get(), "x");
        streams[each] = loop->adopt(std::move(pairs[each].ours), owner);
    }
    run_until([&] { return owner.events > 0; });
    turn();
    EXPECT_EQ(owner.events, 1);
}

TEST_P(StreamTest, can_be_destroyed_with_much_unsent) {
    auto ends = socket_pair();
    Owner owner;
    auto stream = loop->adopt(std::move(ends.ours), owner);
    stream->output().append(std::string(8 << 20, 'z'));
    stream->flush();
    turn();
    EXPECT_GT(stream->unsent(), 0U);
    stream.reset();
    turn();
    run_until([&] { return receive_some(ends.theirs.get()).empty(); });
}

TEST_P(StreamTest, ten_thousand_at_once) {
    constexpr std::size_t pairs = 5'000;
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    ASSERT_GE(limit.rlim_cur, 2 * pairs + 100) << "the system lets us open too few files";
    Owner server(echo);
    std::size_t answered = 0;
    Owner client([&](Stream& stream) { answered += stream.input() == "ping" ? 1 : 0; });
    std::vector<std::unique_ptr<Stream>> streams;
    for (std::size_t made = 0; made < pairs; ++made) {
        auto ends = socket_pair();
        streams.push_back(loop->adopt(std::move(ends.ours), server));
        streams.push_back(loop->adopt(std::move(ends.theirs), client));
        streams.back()->output().append("ping");
        streams.back()->flush();
    }
    run_until([&] { return answered == pairs; });
}

}  // namespace pgtandem::io
