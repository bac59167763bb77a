#include "sql/fingerprint.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace pgtandem::sql {
namespace {

std::uint64_t of(std::string_view text) { return fingerprint(text, true, 42); }

TEST(fingerprint, is_the_same_for_other_literals_case_and_blanks) {
    auto const one = of("SELECT a FROM t WHERE b = 1 AND c = 'x'");
    EXPECT_EQ(one, of("select  A from T\n where b=2 /* y */ and c = E'it\\'s'"));
    EXPECT_EQ(one, of("select a from t where b = 1e5 and c = $$z$$ -- end"));
}

TEST(fingerprint, differs_for_whatever_else_differs) {
    std::set<std::uint64_t> found;
    std::size_t count = 0;
    for (auto const* const text :
         {"SELECT a", "SELECT \"a\"", "SELECT \"A\"", "SELECT ab", "SELECT a b", "SELECT $1", "SELECT $2", "SELECT 1",
          "SELECT -1", "SELECT a;", "SELECT a.b", "SELECT 'x", "SELECT 'y", ""}) {
        found.insert(of(text));
        ++count;
    }
    EXPECT_EQ(found.size(), count);
    EXPECT_NE(fingerprint("SELECT 1", true, 1), fingerprint("SELECT 1", true, 2));
    EXPECT_NE(fingerprint("SELECT 1", true, 1), fingerprint("SELECT 1", false, 1));
}

TEST(fingerprint, the_hash_of_bytes_depends_on_the_seed_and_on_each_byte) {
    using namespace std::literals;
    EXPECT_EQ(keyed_hash("a\0b\0"sv, 1), keyed_hash("a\0b\0"sv, 1));
    EXPECT_NE(keyed_hash("a\0b\0"sv, 1), keyed_hash("a\0b\0"sv, 2));
    EXPECT_NE(keyed_hash("a\0b\0"sv, 1), keyed_hash("ab\0"sv, 1));
    EXPECT_NE(keyed_hash("SELECT 1", 1), keyed_hash("SELECT 2", 1));
}

TEST(fingerprint, long_texts_differ_in_every_place) {
    std::string const text(1000, 'a');
    std::set<std::uint64_t> found{of(text)};
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto other = text;
        other[i] = 'b';
        found.insert(of(other));
    }
    EXPECT_EQ(found.size(), text.size() + 1);
}

}  // namespace
}  // namespace pgtandem::sql
