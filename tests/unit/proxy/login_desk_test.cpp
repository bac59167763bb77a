#include "proxy/login_desk.hpp"

#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <optional>
#include <vector>

namespace pgtandem::proxy {

namespace {

LoginQuestion from(std::string address) { return {"anna", "shop", false, false, std::move(address)}; }

// A desk whose look-up of the very first question stands still until it is let go on; there is no server then.
struct Desk {
    std::promise<void> goes_on{};
    std::promise<void> stands{};
    std::once_flag first{};
    std::mutex mutex{};
    std::vector<std::uint64_t> answered{};
    std::optional<LoginDesk> desk{std::in_place, [this, gate = goes_on.get_future().share()]() -> Result<Conninfo> {
        std::call_once(first, [this] { stands.set_value(); });
        gate.wait();
        return fail("finding a server", "", "there is none");
    }};

    Desk() {
        ask(0, "10.9.9.9");
        stands.get_future().wait();
    }

    // The answers that there were in all.
    std::vector<std::uint64_t> end() {
        goes_on.set_value();
        desk.reset();
        return answered;
    }

    void ask(std::uint64_t id, std::string address) {
        desk->ask(id, from(std::move(address)), [this, id](Result<LoginFacts> const&) {
            std::lock_guard const guard(mutex);
            answered.push_back(id);
        });
    }
};

}  // namespace

TEST(LoginDesk, nothing_is_looked_up_for_who_has_left) {
    Desk desk;
    for (std::uint64_t id = 1; id <= 1000; ++id) desk.ask(id, "10.0.0.1");
    for (std::uint64_t id = 1; id <= 1000; ++id) {
        if (id % 100 != 0) desk.desk->forget(id);
    }
    EXPECT_EQ(desk.end(), (std::vector<std::uint64_t>{0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000}));
}

TEST(LoginDesk, too_many_that_wait_are_turned_away) {
    Desk desk;
    for (std::uint64_t id = 1; id <= 21'000; ++id) desk.ask(id, "10.0.0.1");
    desk.ask(50'000, "10.0.0.2");
    {
        std::lock_guard const guard(desk.mutex);
        EXPECT_EQ(desk.answered.size(), 1001U);
    }
    for (std::uint64_t id = 1; id <= 21'000; ++id) desk.desk->forget(id);
    EXPECT_EQ(desk.end().size(), 1003U);
}

}  // namespace pgtandem::proxy
