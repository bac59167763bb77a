// Connecting, listening, and work from elsewhere.
#include "io/loop.hpp"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/un.h>

#include <filesystem>
#include <thread>
#include <vector>

#include "loop_fixture.hpp"

namespace pgtandem::io {

class LoopOfEitherKindTest : public LoopTest {};
PGTANDEM_FOR_BOTH_LOOPS(LoopOfEitherKindTest);

namespace {

UniqueFd listening_at(SocketAddress const& address) {
    UniqueFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::bind(fd.get(), reinterpret_cast<sockaddr const*>(&address.storage), address.length) != 0 ||
        ::listen(fd.get(), 100) != 0)
        throw std::runtime_error("listen");
    return fd;
}

// Where a TCP socket is bound to.
SocketAddress address_of(UniqueFd const& socket) {
    SocketAddress address;
    address.length = sizeof address.storage;
    getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length);
    return address;
}

UniqueFd listening_tcp() { return listening_at(*SocketAddress::tcp("127.0.0.1", 0)); }

}  // namespace

TEST_P(LoopOfEitherKindTest, connects_accepts_and_carries_bytes_over_tcp) {
    auto const listening = listening_tcp();
    Owner server(echo);
    std::vector<std::unique_ptr<Stream>> accepted;
    auto const listener =
        loop->listen(listening.get(), [&](UniqueFd fd) { accepted.push_back(loop->adopt(std::move(fd), server)); });
    Collector client;
    auto const stream = loop->connect(address_of(listening), client);
    EXPECT_EQ(stream->health(), Health::connecting);
    stream->output().append("hello");
    stream->flush();
    run_until([&] { return client.text == "hello"; });
    EXPECT_EQ(stream->health(), Health::open);
}

TEST_P(LoopOfEitherKindTest, connects_to_a_unix_socket) {
    char folder[] = "/tmp/pgtandem-io-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    auto const address = *SocketAddress::unix_socket(std::string(folder) + "/socket");
    auto const listening = listening_at(address);
    Owner server(echo);
    std::vector<std::unique_ptr<Stream>> accepted;
    auto const listener =
        loop->listen(listening.get(), [&](UniqueFd fd) { accepted.push_back(loop->adopt(std::move(fd), server)); });
    Collector client;
    auto const stream = loop->connect(address, client);
    run_until([&] { return stream->health() == Health::open; });
    stream->output().append("hello");
    stream->flush();
    run_until([&] { return client.text == "hello"; });
    std::filesystem::remove_all(folder);
}

TEST_P(LoopOfEitherKindTest, says_why_a_connection_was_refused) {
    auto listening = listening_tcp();
    auto const nobody = address_of(listening);
    listening.reset();
    Owner client;
    auto const tcp = loop->connect(nobody, client);
    run_until([&] { return tcp->health() == Health::broken && client.events == 1; });
    EXPECT_EQ(tcp->why_broken(), "Connection refused");

    auto const unix = loop->connect(*SocketAddress::unix_socket("/nonexistent/socket"), client);
    run_until([&] { return client.events == 2; });
    EXPECT_EQ(unix->health(), Health::broken);
    EXPECT_EQ(unix->why_broken(), "No such file or directory");
}

TEST_P(LoopOfEitherKindTest, a_connection_can_be_given_up_while_it_is_being_made) {
    auto const listening = listening_tcp();
    Owner client;
    auto stream = loop->connect(address_of(listening), client);
    stream.reset();
    turn();
    turn();
    EXPECT_EQ(client.events, 0);
}

TEST_P(LoopOfEitherKindTest, a_reset_breaks_the_stream) {
    auto const listening = listening_tcp();
    UniqueFd accepted;
    auto const listener = loop->listen(listening.get(), [&](UniqueFd fd) { accepted = std::move(fd); });
    Owner client;
    auto const stream = loop->connect(address_of(listening), client);
    run_until([&] { return accepted && stream->health() == Health::open; });
    linger const reset_at_close{1, 0};
    setsockopt(accepted.get(), SOL_SOCKET, SO_LINGER, &reset_at_close, sizeof reset_at_close);
    accepted.reset();
    run_until([&] { return stream->health() == Health::broken; });
    EXPECT_EQ(stream->why_broken(), "Connection reset by peer");
}

TEST_P(LoopOfEitherKindTest, accepts_no_more_once_the_listener_is_destroyed) {
    auto const listening = listening_tcp();
    int count = 0;
    auto listener = loop->listen(listening.get(), [&](UniqueFd) { ++count; });
    Owner client;
    auto const first = loop->connect(address_of(listening), client);
    run_until([&] { return count == 1; });
    listener.reset();
    turn();
    auto const second = loop->connect(address_of(listening), client);
    run_until([&] { return second->health() == Health::open; });
    turn();
    EXPECT_EQ(count, 1);
    auto const another = loop->listen(listening.get(), [&](UniqueFd) { ++count; });
    run_until([&] { return count == 2; });
}

TEST_P(LoopOfEitherKindTest, a_listener_can_be_destroyed_by_what_it_accepted) {
    auto const listening = listening_tcp();
    int count = 0;
    std::unique_ptr<Listener> listener;
    listener = loop->listen(listening.get(), [&](UniqueFd) {
        ++count;
        listener.reset();
    });
    Owner client;
    auto const first = loop->connect(address_of(listening), client);
    auto const second = loop->connect(address_of(listening), client);
    run_until([&] { return count > 0; });
    turn();
    // The kernel may have accepted the second by then: it is not lost.
    auto const accepted = count;
    auto const third = loop->connect(address_of(listening), client);
    run_until([&] { return third->health() == Health::open; });
    turn();
    EXPECT_LE(accepted, 2);
    EXPECT_EQ(count, accepted);
}

TEST_P(LoopOfEitherKindTest, runs_what_other_threads_post_in_their_order) {
    constexpr int threads = 4;
    constexpr int each = 1000;
    std::vector<int> seen[threads];
    std::vector<std::thread> running;
    int count = 0;
    for (int thread = 0; thread < threads; ++thread) {
        running.emplace_back([&, thread] {
            for (int number = 0; number < each; ++number) {
                loop->post([&, thread, number] {
                    seen[thread].push_back(number);
                    if (++count == threads * each) loop->stop();
                });
            }
        });
    }
    loop->run();
    for (auto& thread : running) thread.join();
    for (auto const& numbers : seen) {
        ASSERT_EQ(numbers.size(), static_cast<std::size_t>(each));
        EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
    }
}

TEST_P(LoopOfEitherKindTest, is_stopped_by_another_thread_while_it_waits) {
    std::thread other([&] { loop->stop(); });
    loop->run();
    other.join();
}

TEST_P(LoopOfEitherKindTest, deferred_work_runs_after_the_events_and_before_the_sends) {
    auto ends = socket_pair();
    std::string answer;
    Owner owner([&](Stream& stream) {
        stream.consume(stream.input().size());
        stream.output().append("event ");
        stream.flush();
        loop->defer([&] { stream.output().append("deferred"); });
    });
    auto const stream = loop->adopt(std::move(ends.ours), owner);
    send_all(ends.theirs.get(), "x");
    run_until([&] { return !(answer = receive_some(ends.theirs.get())).empty(); });
    EXPECT_EQ(answer, "event deferred");
}

TEST_P(LoopOfEitherKindTest, a_timer_wakes_the_loop) {
    int expired = 0;
    auto const timer = loop->make_timer([&] {
        ++expired;
        loop->stop();
    });
    auto const never = loop->make_timer([&] { expired += 100; });
    never->start(1h);
    timer->start(2ms);
    loop->run();
    timer->start(0ms);
    loop->run();
    EXPECT_EQ(expired, 2);
    EXPECT_TRUE(never->is_running());
}

}  // namespace pgtandem::io
