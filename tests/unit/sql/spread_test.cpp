#include "sql/spread.hpp"

#include <gtest/gtest.h>

#include "sql/catalog_facts.hpp"

namespace pgtandem::sql {
namespace {

std::size_t joins = 0;
unsigned joined(unsigned a, unsigned b) {
    ++joins;
    return a | b;
}
using Bits = Spread<unsigned, joined>;

TEST(spread, goes_along_links_and_around_rings) {
    Bits bits;
    auto const a = bits.add(1);
    auto const b = bits.add(2);
    auto const c = bits.add();
    auto const aside = bits.add(8);
    bits.link(a, b);
    bits.link(b, c);
    bits.link(c, b);
    bits.link(c, c);
    bits.raise(c, 4);
    bits.run();
    EXPECT_EQ(bits[a], 1U);
    EXPECT_EQ(bits[b], 7U);
    EXPECT_EQ(bits[c], 7U);
    EXPECT_EQ(bits[aside], 8U);
}

// In whichever order they were made.
TEST(spread, the_work_on_a_long_chain_grows_with_its_length_only) {
    constexpr std::size_t length = 20'000;
    for (bool const is_forward : {false, true}) {
        Bits bits;
        for (std::size_t node = 0; node < length; ++node) bits.add();
        for (Bits::Node node = 1; node < length; ++node) bits.link(is_forward ? node - 1 : node, is_forward ? node : node - 1);
        bits.raise(is_forward ? 0 : length - 1, 1);
        joins = 0;
        bits.run();
        EXPECT_LE(joins, 4 * length);
        EXPECT_EQ(bits[is_forward ? length - 1 : 0], 1U);
    }
}

std::string function_name(std::size_t number) { return "f" + std::to_string(number); }

TEST(spread, a_chain_of_functions_ends_in_what_its_last_one_does) {
    constexpr std::size_t length = 20'000;
    std::vector<CatalogFacts::Row> rows;
    for (std::size_t number = 0; number < length; ++number) {
        auto const next = number + 1 < length ? function_name(number + 1) : std::string("nextval");
        rows.push_back({"code", function_name(number), {}, "SELECT " + next + "()"});
        rows.push_back({"body", "b" + function_name(number), {}, "SELECT b" + next + "()"});
    }
    rows.push_back({"routines", "public", {}, "0 0 s f0"});
    auto const facts = CatalogFacts::from_rows(rows, {});
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->function("f0"), Pins(Pin::drawn_number));
    EXPECT_EQ(facts->function("bf0"), Pins());
}

}  // namespace
}  // namespace pgtandem::sql
