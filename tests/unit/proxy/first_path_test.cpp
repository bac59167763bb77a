#include "proxy/first_path.hpp"

#include <gtest/gtest.h>

#include "proxy/backend.hpp"
#include "support/server_entry.hpp"

namespace pgtandem::proxy {
namespace {

ServerEntry configured(std::string const& name, bool is_primary) {
    auto entry = server(name, is_primary);
    entry.configured_at = "noon";
    entry.search_path = "public";
    return entry;
}

struct World {
    Routing routing{1, 1, {configured("p", true), configured("a", false)}, true};
    // Backends are told apart by where they are, nothing more.
    alignas(Backend) char places[2 * sizeof(Backend)];
    FirstPath path{};

    Backend const& backend(int number = 0) { return *reinterpret_cast<Backend const*>(places + number * sizeof(Backend)); }
    void change() { ++routing.version; }
    std::string value() {
        auto const& known = path.value(routing);
        return known ? *known : "unknown";
    }
    void tell(std::string text) {
        path.begin_asking(backend(), routing);
        path.take(std::move(text));
    }
};

TEST(FirstPath, IsAskedOnce) {
    World world;
    EXPECT_TRUE(world.path.must_ask(world.routing));
    EXPECT_EQ(world.value(), "unknown");
    world.path.begin_asking(world.backend(), world.routing);
    EXPECT_FALSE(world.path.must_ask(world.routing));
    EXPECT_TRUE(world.path.is_asked(world.backend()));
    EXPECT_FALSE(world.path.is_asked(world.backend(1)));
    EXPECT_EQ(world.value(), "unknown");
    world.path.take("a, b");
    EXPECT_EQ(world.value(), "a, b");
    EXPECT_FALSE(world.path.must_ask(world.routing));
}

TEST(FirstPath, IsAskedAgainAfterTheConfigurationWasLoaded) {
    World world;
    world.tell("a");
    world.routing.servers[0].configured_at = "one o'clock";
    world.change();
    EXPECT_EQ(world.value(), "unknown");
    EXPECT_TRUE(world.path.must_ask(world.routing));
    world.path.begin_asking(world.backend(), world.routing);
    // And once more, before the answer.
    world.routing.servers[0].configured_at = "two o'clock";
    world.change();
    world.path.take("b");
    EXPECT_EQ(world.value(), "unknown");
    EXPECT_TRUE(world.path.must_ask(world.routing));
    world.tell("c");
    EXPECT_EQ(world.value(), "c");
}

TEST(FirstPath, IsNotKnownWhileItIsAskedAgain) {
    World world;
    world.tell("a");
    EXPECT_EQ(world.value(), "a");
    world.path.begin_asking(world.backend(), world.routing);
    EXPECT_EQ(world.value(), "unknown");
}

TEST(FirstPath, ServersThatDifferMakeItUnknown) {
    World world;
    world.tell("a");
    world.routing.servers[1].search_path = "other";
    world.change();
    EXPECT_EQ(world.value(), "unknown");
    world.routing.servers[1].search_path = "public";
    world.change();
    EXPECT_EQ(world.value(), "a");
}

TEST(FirstPath, ALostBackendLeavesTheQuestionOpen) {
    World world;
    world.path.begin_asking(world.backend(), world.routing);
    world.path.give_up();
    EXPECT_FALSE(world.path.is_asked(world.backend()));
    EXPECT_EQ(world.value(), "unknown");
    EXPECT_TRUE(world.path.must_ask(world.routing));
}

TEST(FirstPath, WithoutAPrimaryNothingIsAskedOrKnown) {
    World world;
    world.tell("a");
    world.routing.servers[0].is_usable = false;
    world.change();
    EXPECT_EQ(world.value(), "unknown");
    EXPECT_FALSE(world.path.must_ask(world.routing));
}

}  // namespace
}  // namespace pgtandem::proxy
