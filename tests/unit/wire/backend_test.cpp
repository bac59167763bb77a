#include "wire/backend.hpp"

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
}

TEST(backend, messages_are_read_whole_or_not_at_all) {
    expect_whole_only<ParameterStatus>("TimeZone\0UTC\0"sv);
    expect_whole_only<BackendKeyData>("\0\0\0\7keyk"sv);
    expect_whole_only<ReadyForQuery>("T"sv);
    expect_whole_only<CommandComplete>("SELECT 1\0"sv);
    EXPECT_FALSE(ReadyForQuery::parse("X"));
}

TEST(backend, rows_are_read_whole_or_not_at_all) {
    ByteBuffer out;
    std::vector<std::optional<std::string>> const values{"one", std::nullopt, ""};
    wire::write_data_row(out, values);
    auto const body = std::string(out.view().substr(5));
    auto const row = wire::DataRow::parse(body);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->values, (std::vector<std::optional<std::string_view>>{"one", std::nullopt, ""}));
    for_each_truncation(body, [](auto const& broken) { EXPECT_FALSE(wire::DataRow::parse(broken)); });
    EXPECT_FALSE(wire::DataRow::parse(body + "x"));
    EXPECT_FALSE(wire::DataRow::parse(std::string("\xff\xff", 2)));
}

}  // namespace
}  // namespace pgtandem::wire
