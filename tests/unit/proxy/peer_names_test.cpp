#include "proxy/peer_names.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace pgtandem::proxy {

TEST(PeerNames, this_machine_is_localhost) {
    auto const found = look_up_peer("127.0.0.1");
    EXPECT_EQ(found.has_name, Match::yes);
    EXPECT_EQ(found.name, "localhost");
    EXPECT_EQ(found.leads_back, Match::yes);
    EXPECT_EQ(look_up_peer("no address").has_name, Match::unknown);
}

TEST(PeerNames, answers_each_on_another_thread) {
    PeerNames names([](std::string const& address) { return PeerName{Match::yes, "of " + address, Match::yes}; });
    std::vector<std::promise<std::string>> answers(50);
    for (std::size_t at = 0; at < answers.size(); ++at) {
        names.ask(at, std::to_string(at % 7), [&, at](PeerName name) { answers[at].set_value(name.name); });
    }
    for (std::size_t at = 0; at < answers.size(); ++at) EXPECT_EQ(answers[at].get_future().get(), "of " + std::to_string(at % 7));
}

TEST(PeerNames, those_of_one_address_share_a_look_up_and_who_left_has_none) {
    std::promise<void> may_go_on;
    auto const gate = may_go_on.get_future().share();
    std::atomic<int> look_ups = 0;
    std::atomic<int> answered = 0;
    {
        PeerNames names([&](std::string const&) {
            ++look_ups;
            gate.wait();
            return PeerName{};
        });
        for (std::uint64_t id = 1; id <= 4; ++id) names.ask(id, std::to_string(id), [&](PeerName const&) { ++answered; });
        while (look_ups < 4) std::this_thread::yield();
        for (std::uint64_t id = 10; id < 1010; ++id) names.ask(id, id < 510 ? "one" : "gone", [&](PeerName const&) { ++answered; });
        for (std::uint64_t id = 510; id < 1010; ++id) names.forget(id);
        names.forget(1);
        may_go_on.set_value();
        while (answered < 504) std::this_thread::yield();
    }
    EXPECT_EQ(look_ups, 5);
    EXPECT_EQ(answered, 504);
}

TEST(PeerNames, what_waits_at_the_end_is_unknown) {
    std::promise<void> may_go_on;
    auto const gate = may_go_on.get_future().share();
    std::vector<Match> answers;
    std::mutex mutex;
    auto names = std::make_unique<PeerNames>([&](std::string const&) {
        gate.wait();
        return PeerName{Match::unknown};
    });
    for (std::uint64_t id = 1; id <= 20; ++id) {
        names->ask(id, std::to_string(id), [&](PeerName const& name) {
            std::lock_guard const guard(mutex);
            answers.push_back(name.has_name);
        });
    }
    may_go_on.set_value();
    names.reset();
    EXPECT_EQ(answers, std::vector<Match>(20, Match::unknown));
}

}  // namespace pgtandem::proxy
