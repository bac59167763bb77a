#include "sql/text_marks.hpp"

#include <gtest/gtest.h>

#include "sql/analyze.hpp"

namespace pgtandem::sql {

TEST(TextMarks, HintAndTerminationAreFound) {
    EXPECT_TRUE(read_marks("SELECT 1, a_b, _terminate").empty());
    EXPECT_EQ(read_marks("/* pgtandem: primary */ SELECT 1").hint, Hint::primary);
    EXPECT_TRUE(read_marks("SELECT PG_Terminate_Backend(1)").names_termination);
    EXPECT_TRUE(read_marks("DO 'SELECT pg_terminate_backend(1)'").names_termination);
}

// Of a long text they were found out when it was read; a short one of the same fingerprint has its own.
TEST(TextMarks, MarksOfALongTextAreThoseOfItsAnalysis) {
    Analysis analysis;
    analysis.marks = {Hint::replica, true};
    EXPECT_EQ(hint_of(analysis, "SELECT 1"), std::nullopt);
    EXPECT_FALSE(names_termination(analysis, "SELECT 1"));
    std::string const text = "/* pgtandem: primary */ SELECT '" + std::string(long_text_bytes, 'a') + "'";
    EXPECT_EQ(hint_of(analysis, text), Hint::replica);
    EXPECT_TRUE(names_termination(analysis, text));
}

}  // namespace pgtandem::sql
