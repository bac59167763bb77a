#include "wire/query.hpp"

#include <gtest/gtest.h>

#include "broken.hpp"

namespace pgtandem::wire {
namespace {

using namespace std::string_view_literals;

template <class Message>
void expect_whole_only(std::string_view body) {
    ASSERT_TRUE(Message::parse(body));
    ByteBuffer out;
    Message::parse(body)->write(out);
    EXPECT_EQ(out.view().substr(5), body);
    for_each_truncation(body, [](auto const& broken) { EXPECT_FALSE(Message::parse(broken)); });
    EXPECT_FALSE(Message::parse(std::string(body) + "x"));
}

TEST(query, messages_are_read_whole_or_not_at_all) {
    expect_whole_only<Query>("select 1\0"sv);
    expect_whole_only<Parse>("n\0select $1\0\0\1\0\0\0\x17"sv);
    expect_whole_only<Describe>("Sn\0"sv);
    expect_whole_only<Close>("Pn\0"sv);
    expect_whole_only<Execute>("p\0\0\0\0\7"sv);
}

TEST(query, a_bind_is_checked_to_its_end) {
    auto const body = "p\0s\0\0\1\0\1\0\2\xff\xff\xff\xff\0\0\0\2ab\0\1\0\0"sv;
    EXPECT_TRUE(Bind::parse(body)->has_whole_rest());
    for_each_truncation(body, [](auto const& broken) {
        auto const bind = Bind::parse(broken);
        EXPECT_FALSE(bind && bind->has_whole_rest());
    });
}

}  // namespace
}  // namespace pgtandem::wire
