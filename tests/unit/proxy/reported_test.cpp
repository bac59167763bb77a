#include "proxy/reported.hpp"

#include <gtest/gtest.h>

#include "wire/backend.hpp"
#include "wire/framing.hpp"

namespace pgtandem::proxy {

namespace {

// "name=value" of each ParameterStatus, in the order in which the client gets them.
std::vector<std::string> told(ReportedRef const& seen, ReportedRef const& present) {
    ByteBuffer out;
    write_differences(out, seen, present);
    std::vector<std::string> statuses;
    auto rest = out.view();
    while (auto const header = wire::read_header(rest)) {
        auto const status = wire::ParameterStatus::parse(rest.substr(wire::header_size, header->body));
        EXPECT_EQ(header->type, 'S');
        if (status) statuses.push_back(std::string(status->name) + "=" + std::string(status->value));
        rest.remove_prefix(header->total());
    }
    return statuses;
}

using Told = std::vector<std::string>;

}  // namespace

TEST(SharedReported, has_ready_how_a_statement_is_read) {
    ReportedRegistry registry;
    auto const usual = registry.intern({{"client_encoding", "UTF8"}, {"standard_conforming_strings", "on"}});
    EXPECT_TRUE(usual->strings_conform && usual->can_be_read);
    EXPECT_FALSE(registry.with(usual, "standard_conforming_strings", "off")->strings_conform);
    EXPECT_FALSE(registry.with(usual, "client_encoding", "SJIS")->can_be_read);
    auto const silent = registry.intern({});
    EXPECT_TRUE(silent->strings_conform && silent->can_be_read);
}

TEST(Reported, keeps_the_servers_order) {
    Reported reported;
    set_value(reported, "b", "1");
    set_value(reported, "a", "2");
    set_value(reported, "b", "3");
    EXPECT_EQ(reported, (Reported{{"b", "3"}, {"a", "2"}}));
}

TEST(ReportedRegistry, gives_the_same_object_for_the_same_content) {
    ReportedRegistry registry;
    auto const one = registry.intern({{"a", "1"}, {"b", "2"}});
    EXPECT_EQ(registry.intern({{"a", "1"}, {"b", "2"}}), one);
    EXPECT_NE(registry.intern({{"b", "2"}, {"a", "1"}}), one) << "another order is another thing to report";
    EXPECT_NE(registry.intern({{"a", "1"}, {"b", "3"}}), one);
    EXPECT_EQ(one->values, (Reported{{"a", "1"}, {"b", "2"}}));
}

TEST(ReportedRegistry, with_one_value_changed_leaves_the_one_before_as_it_is) {
    ReportedRegistry registry;
    auto const before = registry.with(nullptr, "a", "1");
    auto const after = registry.with(before, "a", "2");
    EXPECT_EQ(before->values, (Reported{{"a", "1"}}));
    EXPECT_EQ(after->values, (Reported{{"a", "2"}}));
    EXPECT_EQ(registry.with(after, "a", "1"), before);
    EXPECT_EQ(registry.with(before, "a", "1"), before);
    EXPECT_EQ(registry.with(before, "b", "1"), registry.intern({{"a", "1"}, {"b", "1"}}));
}

// More sets than it keeps: those that somebody holds stay what they are.
TEST(ReportedRegistry, forgets_only_what_nobody_holds) {
    ReportedRegistry registry;
    auto const held = registry.intern({{"a", "held"}});
    for (int at = 0; at < 10000; ++at) registry.intern({{"a", std::to_string(at)}});
    EXPECT_EQ(registry.intern({{"a", "held"}}), held);
}

TEST(WriteDifferences, tells_what_the_client_has_not_seen_in_the_servers_order) {
    ReportedRegistry registry;
    auto const seen = registry.intern({{"a", "1"}, {"b", "2"}});
    auto const present = registry.intern({{"c", ""}, {"b", "3"}, {"a", "1"}});
    EXPECT_EQ(told(seen, present), (Told{"c=", "b=3"}));
    EXPECT_EQ(told(nullptr, present), (Told{"c=", "b=3", "a=1"}));
    EXPECT_EQ(told(present, present), Told{});
    EXPECT_EQ(told(seen, nullptr), Told{});
}

TEST(ReportedValue, is_empty_where_there_is_none) {
    ReportedRegistry registry;
    auto const reported = registry.intern({{"a", "1"}});
    EXPECT_EQ(value_of(reported, "a"), "1");
    EXPECT_EQ(value_of(reported, "b"), "");
    EXPECT_EQ(value_of(nullptr, "a"), "");
}

}  // namespace pgtandem::proxy
