#include "sql/known_names.hpp"

#include <gtest/gtest.h>

namespace pgtandem::sql {
namespace {

SearchPath path_of(std::string schema) { return std::vector{std::move(schema)}; }

TEST(known_names, many_of_one_name_in_a_schema_are_taken_for_the_worst_of_them) {
    KnownNames names;
    names.add({"pg_catalog", "f"}, 1, 1, Reason::read);
    for (std::uint8_t args = 0; args < 100; ++args) names.add({"own", "f"}, args, args, Reason::read);
    names.add({"own", "f"}, 100, 100, Reason::volatile_function);
    names.finish();
    EXPECT_EQ(names.size(), 2U);
    EXPECT_EQ(names.doubt({"", "f"}, 1, path_of("own")), Reason::volatile_function);
    EXPECT_EQ(names.doubt({"own", "f"}, 1, path_of("public")), Reason::volatile_function);
    // Somebody else's functions do not change what the others call.
    EXPECT_EQ(names.doubt({"", "f"}, 1, path_of("public")), Reason::read);
    EXPECT_EQ(names.doubt({"pg_catalog", "f"}, 1, path_of("own")), Reason::read);
}

TEST(known_names, many_schemas_with_one_name_are_taken_for_the_worst_of_them) {
    KnownNames names;
    for (int schema = 0; schema < 100'000; ++schema) names.add({"s" + std::to_string(schema), "f"}, 0, 0, Reason::read);
    names.add({"last", "f"}, 0, 0, Reason::side_effect);
    names.add({"last", "g"}, 0, 0, Reason::read);
    names.finish();
    EXPECT_EQ(names.size(), 2U);
    EXPECT_EQ(names.doubt({"", "f"}, 3, path_of("s7")), Reason::side_effect);
    EXPECT_EQ(names.doubt({"s7", "f"}, 0, path_of("s7")), Reason::side_effect);
    EXPECT_EQ(names.doubt({"", "g"}, 0, path_of("last")), Reason::read);
    EXPECT_EQ(names.doubt({"", "g"}, 0, path_of("s7")), std::nullopt);
}

}  // namespace
}  // namespace pgtandem::sql
