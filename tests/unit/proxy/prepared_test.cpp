#include "proxy/prepared.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {

namespace {

PreparedStatement statement_of(std::string text, std::string types = {}, std::uint64_t epoch = 0) {
    PreparedStatement statement;
    statement.epoch = epoch;
    statement.text = std::move(text);
    statement.types = std::move(types);
    return statement;
}

PreparedRef statement(std::string text) { return std::make_shared<PreparedStatement const>(statement_of(std::move(text))); }

SettingsRef settings_of(std::string const& name, std::string const& value) {
    return changed(no_settings(), {{sql::SettingChange::Kind::set, name, value}});
}

// The texts in the order in which they would be given up.
std::vector<std::string> order_of_leaving(PreparedOnBackend& backend) {
    std::vector<std::string> texts;
    while (backend.size() > 0) {
        texts.push_back(backend.oldest().statement->text);
        backend.remove(backend.oldest().statement);
    }
    return texts;
}

using Texts = std::vector<std::string>;

// One column: its name, the table's object id and the column's number, the type, its size, its modifier, the format.
std::string column(std::string const& name, char table, char type, char modifier, char format) {
    std::string text = name + std::string(1, '\0') + std::string(3, '\0') + table + std::string(2, '\0');
    return text + std::string(3, '\0') + type + std::string(2, '\0') + std::string(3, '\0') + modifier + std::string(1, '\0') + format;
}

std::string row_description(std::initializer_list<std::string> columns) {
    std::string body{'\0', static_cast<char>(columns.size())};
    for (auto const& each : columns) body += each;
    return body;
}

}  // namespace

TEST(DescriptionOfColumns, tells_apart_what_a_cached_plan_must_not_change) {
    auto const one = description_of_columns(row_description({column("n", 1, 23, 0, 0)}));
    ASSERT_TRUE(one);
    EXPECT_EQ(one, description_of_columns(row_description({column("n", 2, 23, 0, 0)}))) << "another table";
    EXPECT_EQ(one, description_of_columns(row_description({column("n", 1, 23, 0, 1)}))) << "another format";
    EXPECT_NE(one, description_of_columns(row_description({column("m", 1, 23, 0, 0)})));
    EXPECT_NE(one, description_of_columns(row_description({column("n", 1, 20, 0, 0)})));
    EXPECT_NE(one, description_of_columns(row_description({column("n", 1, 23, 8, 0)})));
    EXPECT_NE(one, description_of_columns(row_description({column("n", 1, 23, 0, 0), column("n", 1, 23, 0, 0)})));
}

TEST(DescriptionOfColumns, refuses_a_malformed_body) {
    auto const whole = row_description({column("n", 1, 23, 0, 0), column("m", 1, 23, 0, 0)});
    for (std::size_t length = 0; length < whole.size(); ++length) EXPECT_FALSE(description_of_columns(whole.substr(0, length))) << length;
    EXPECT_FALSE(description_of_columns(whole + "x"));
}

TEST(PreparedRegistry, finds_a_statement_by_all_that_it_is) {
    MemoryUse memory;
    PreparedRegistry registry;
    auto const made = registry.add(statement_of("select $1", "aaaa", 7), memory);
    EXPECT_EQ(registry.find(7, "select $1", "aaaa", no_settings()), made);
    EXPECT_EQ(registry.find(8, "select $1", "aaaa", no_settings()), nullptr) << "the catalog has changed";
    EXPECT_EQ(registry.find(7, "select $2", "aaaa", no_settings()), nullptr);
    EXPECT_EQ(registry.find(7, "select $1", "bbbb", no_settings()), nullptr);
    EXPECT_EQ(registry.find(7, "select $1", "", no_settings()), nullptr);
    EXPECT_EQ(registry.find(7, "select $1", "aaaa", settings_of("timezone", "SET TIME ZONE 'UTC'")), nullptr);
}

TEST(PreparedRegistry, does_not_take_a_text_for_types) {
    MemoryUse memory;
    PreparedRegistry registry;
    auto const made = registry.add(statement_of("aaaaselect 1"), memory);
    EXPECT_EQ(registry.find(0, "select 1", "aaaa", no_settings()), nullptr);
    EXPECT_EQ(registry.find(0, "aaaaselect 1", "", no_settings()), made);
}

TEST(PreparedRegistry, forgets_what_nobody_holds) {
    MemoryUse memory;
    PreparedRegistry registry;
    auto made = registry.add(statement_of("select 1"), memory);
    auto const held = registry.add(statement_of("select 2"), memory);
    made.reset();
    EXPECT_EQ(registry.find(0, "select 1", "", no_settings()), nullptr);
    for (int at = 0; at < 5000; ++at) registry.add(statement_of("select " + std::to_string(at) + " as n"), memory);
    EXPECT_EQ(registry.find(0, "select 2", "", no_settings()), held);
}

TEST(PreparedRegistry, makes_an_outdated_statement_anew) {
    MemoryUse memory;
    PreparedRegistry registry;
    auto const before = registry.add(statement_of("select * from t"), memory);
    before->is_outdated = true;
    EXPECT_EQ(registry.find(0, "select * from t", "", no_settings()), nullptr);
    auto const after = registry.add(statement_of("select * from t"), memory);
    EXPECT_NE(after, before);
    EXPECT_EQ(registry.find(0, "select * from t", "", no_settings()), after);
}

TEST(PreparedRegistry, an_entry_that_is_added_again_is_outdated) {
    MemoryUse memory;
    PreparedRegistry registry;
    auto const before = registry.add(statement_of("select * from t"), memory);
    auto const after = registry.add(statement_of("select * from t"), memory);
    EXPECT_TRUE(before->is_outdated);
    EXPECT_EQ(registry.find(0, "select * from t", "", no_settings()), after);
}

TEST(PreparedRegistry, counts_its_statements_for_as_long_as_they_are_held) {
    MemoryUse memory;
    PreparedRegistry registry;
    auto made = registry.add(statement_of(std::string(1000, 'x')), memory);
    EXPECT_GE(memory.used(MemoryFor::statements), 1000U);
    made.reset();
    EXPECT_EQ(memory.used(MemoryFor::statements), 0U);
}

TEST(PreparedStatement, is_parsed_anew_with_the_types_that_its_client_was_told) {
    auto const made = statement("select $1");
    EXPECT_EQ(made->types_to_parse(), "");
    made->description = StatementDescription{"iiii", ""};
    EXPECT_EQ(made->types_to_parse(), "iiii");
}

TEST(PreparedOnBackend, uses_each_name_once) {
    PreparedOnBackend backend;
    auto const one = statement("select 1");
    auto const first = backend.next_name();
    backend.add({one, first});
    backend.clear();
    EXPECT_NE(backend.next_name(), first);
    EXPECT_TRUE(is_reserved_name(first));
    EXPECT_NE(first, unused_name);
}

TEST(PreparedOnBackend, gives_up_the_least_recently_used_first) {
    struct Row {
        std::vector<int> used;
        Texts leaving;
    };
    std::vector<PreparedRef> const all{statement("1"), statement("2"), statement("3")};
    for (auto const& [used, leaving] : std::vector<Row>{{{}, {"1", "2", "3"}}, {{1}, {"2", "3", "1"}}, {{2, 1}, {"3", "2", "1"}}, {{3, 3}, {"1", "2", "3"}}}) {
        PreparedOnBackend backend;
        for (auto const& each : all) backend.add({each, backend.next_name()});
        for (auto const at : used) EXPECT_NE(backend.use(all[static_cast<std::size_t>(at - 1)]), nullptr);
        EXPECT_EQ(order_of_leaving(backend), leaving);
    }
}

TEST(PreparedOnBackend, has_a_statement_once) {
    PreparedOnBackend backend;
    auto const one = statement("1");
    auto const two = statement("2");
    for (auto const& each : {one, two, one}) backend.add({each, backend.next_name()});
    EXPECT_EQ(backend.size(), 2U);
    EXPECT_EQ(backend.bytes(), one->bytes() + two->bytes());
    EXPECT_EQ(order_of_leaving(backend), (Texts{"2", "1"})) << "adding it again is using it";
    EXPECT_EQ(backend.bytes(), 0U);
}

TEST(PreparedOnBackend, does_not_have_what_was_removed) {
    PreparedOnBackend backend;
    std::vector<PreparedRef> const all{statement("1"), statement("2"), statement("3")};
    for (auto const& each : all) backend.add({each, "name " + each->text});
    auto const removed = backend.remove(all[1]);
    ASSERT_TRUE(removed);
    EXPECT_EQ(removed->server_name, "name 2");
    EXPECT_FALSE(backend.remove(statement("9")));
    backend.remove_name("name 9");
    EXPECT_EQ(backend.use(all[1]), nullptr);
    EXPECT_NE(backend.use(all[2]), nullptr);
    backend.remove_name("name 3");
    EXPECT_EQ(backend.use(all[2]), nullptr);
    EXPECT_EQ(backend.size(), 1U);
    backend.clear();
    EXPECT_EQ(backend.use(all[0]), nullptr);
    EXPECT_EQ(backend.size(), 0U);
}

TEST(PreparedOnBackend, holds_its_statements) {
    PreparedOnBackend backend;
    auto one = statement("1");
    std::weak_ptr<PreparedStatement const> const seen = one;
    backend.add({one, "name"});
    one.reset();
    EXPECT_FALSE(seen.expired());
    backend.remove_name("name");
    EXPECT_TRUE(seen.expired());
}

}  // namespace pgtandem::proxy
