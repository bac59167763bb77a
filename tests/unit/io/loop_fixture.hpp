// What the tests of loops and streams share: a loop of either kind, peers made of plain sockets, and owners that
// record.
#pragma once
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "io/loop.hpp"

namespace pgtandem::io {

class LoopTest : public testing::TestWithParam<LoopKind> {
protected:
    void SetUp() override {
        auto made = Loop::make(GetParam());
        if (!made) GTEST_SKIP() << made.error().line();
        loop = std::move(*made);
    }

    // Turns until 'reached' says so. A test that never gets there is ended by the watchdog.
    void run_until(std::function<bool()> reached) {
        auto watchdog = loop->make_timer([this] {
            ADD_FAILURE() << "what the test waits for has not come";
            loop->stop();
        });
        watchdog->start(60s);
        std::function<void()> look = [&] { reached() ? loop->stop() : loop->post(look); };
        if (!reached()) {
            loop->post(look);
            loop->run();
        }
    }
    // Lets what is under way come about.
    void turn() {
        loop->post([this] { loop->stop(); });
        loop->run();
    }

    std::unique_ptr<Loop> loop;
};

struct Ends {
    UniqueFd ours;
    UniqueFd theirs;
};

inline Ends socket_pair() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) throw std::runtime_error("socketpair");
    return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// Calls what the test gives it.
class Owner : public StreamOwner {
public:
    explicit Owner(std::function<void(Stream&)> event = {}) : event_(std::move(event)) {}
    virtual ~Owner() = default;
    void on_event(Stream& stream) override {
        ++events;
        if (event_) event_(stream);
    }

    int events = 0;

private:
    std::function<void(Stream&)> event_;
};

// Takes all that comes.
class Collector final : public Owner {
public:
    Collector()
        : Owner([this](Stream& stream) {
              text += stream.input();
              stream.consume(stream.input().size());
          }) {}

    std::string text;
};

inline void echo(Stream& stream) {
    stream.output().append(stream.input());
    stream.consume(stream.input().size());
    stream.flush();
}

inline void send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        auto const sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) throw std::runtime_error("send");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

// What has come already, without waiting.
inline std::string receive_some(int fd) {
    std::string text(1 << 16, '\0');
    auto const got = ::recv(fd, text.data(), text.size(), MSG_DONTWAIT);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
}

inline std::string kind_name(testing::TestParamInfo<LoopKind> const& info) {
    return info.param == LoopKind::epoll ? "epoll" : "io_uring";
}

#define PGTANDEM_FOR_BOTH_LOOPS(test) \
    INSTANTIATE_TEST_SUITE_P(both, test, testing::Values(LoopKind::epoll, LoopKind::io_uring), kind_name)

}  // namespace pgtandem::io
