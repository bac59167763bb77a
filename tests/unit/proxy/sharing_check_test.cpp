#include "proxy/sharing_check.hpp"

#include <gtest/gtest.h>

#include "wire/backend.hpp"
#include "wire/error_response.hpp"
#include "wire/framing.hpp"

namespace pgtandem::proxy {
namespace {

using Row = std::vector<std::optional<std::string>>;
using Rows = std::vector<Row>;

// A server that answers each question as it is told, and what the check makes of it.
class Scripted {
public:
    explicit Scripted(BelievedState believed) {
        check.note("SELECT my.own");
        check.begin(std::move(believed), out);
    }

    void row(Row const& values) {
        ByteBuffer message;
        wire::write_data_row(message, values);
        EXPECT_TRUE(check.take('D', message.view().substr(wire::header_size), out));
    }
    void error(std::string const& sqlstate) {
        ByteBuffer message;
        wire::ErrorFields fields;
        fields.severity = fields.severity_nonlocal = "ERROR";
        fields.sqlstate = sqlstate;
        fields.message = "of the test";
        wire::write_error_response(message, fields);
        EXPECT_TRUE(check.take('E', message.view().substr(wire::header_size), out));
    }
    void ready(char status = 'I') { EXPECT_TRUE(check.take('Z', std::string_view(&status, 1), out)); }

    // From the first question to the last; 'replayed' are the values after what is believed was set again.
    std::vector<std::string> run(Rows const& held, Rows const& replayed, bool has_number = false, bool has_unnamed = false) {
        for (auto const& values : held) row(values);
        ready('T');
        row({has_number ? "lastval is 17; " : "", "f"});
        ready('T');
        if (has_unnamed) EXPECT_TRUE(check.take('t', std::string_view("\0\0", 2), out));
        else error("26000");
        ready(has_unnamed ? 'T' : 'E');
        for (auto const& values : replayed) row(values);
        ready('T');
        ready();
        EXPECT_TRUE(check.is_done());
        return check.differences();
    }

    SharingCheck check;
    ByteBuffer out;
};

Row const user{"session_user", "ann", {}};
Row const role{"value", "role", "none"};

TEST(SharingCheck, FindsNothingWhereAllIsAsBelieved) {
    auto const settings = changed(no_settings(), {{sql::SettingChange::Kind::set, "work_mem", "SET work_mem TO '1MB'"}});
    Scripted server({.user = "ann", .settings = settings, .prepared = {{"pgtandem_1", "SELECT 1"}}});
    Row const value{"value", "work_mem", "1024"};
    EXPECT_TRUE(server.run({user, role, value, {"setting", "work_mem", "1024"}, {"prepared", "pgtandem_1", "SELECT 1"}}, {role, value}).empty());
    EXPECT_NE(server.out.view().find("SET work_mem TO '1MB'"), std::string_view::npos);
    EXPECT_TRUE(server.check.was_asked());
    EXPECT_EQ(server.check.take_statements(), std::vector<std::string>{"SELECT my.own"});
    EXPECT_FALSE(server.check.was_asked());
    EXPECT_FALSE(server.check.must_check());
}

TEST(SharingCheck, FindsWhatNobodyBelieves) {
    for (Row const& held : Rows{{"setting", "work_mem", "1024"}, {"lock", "advisory", "ExclusiveLock"}, {"cursor", "c", {}}, {"listen", "l", {}},
                                {"temporary", "pg_class", "1"}, {"prepared", "p", "SELECT 1"}, {"session_user", "bob", {}}}) {
        EXPECT_EQ(Scripted({.user = "ann"}).run({held, role}, {role}).size(), 1U) << *held[0];
    }
    EXPECT_EQ(Scripted({.user = "ann"}).run({user, role}, {role}, true).size(), 1U);
}

TEST(SharingCheck, FindsWhatIsBelievedAndNotThere) {
    EXPECT_EQ(Scripted({.user = "ann", .prepared = {{"pgtandem_1", "SELECT 1"}}}).run({user, role}, {role}).size(), 1U);
    EXPECT_EQ(Scripted({.user = "ann", .has_unnamed = true}).run({user, role}, {role}).size(), 1U);
}

TEST(SharingCheck, TakesAnUnnamedStatementOfWhichNothingIsKnownEitherWay) {
    EXPECT_EQ(Scripted({.user = "ann"}).run({user, role}, {role}, false, true).size(), 1U);
    for (bool const has_unnamed : {true, false}) {
        EXPECT_TRUE(Scripted({.user = "ann", .has_unnamed = {}}).run({user, role}, {role}, false, has_unnamed).empty());
        EXPECT_TRUE(Scripted({.user = "ann", .has_unnamed = has_unnamed}).run({user, role}, {role}, false, has_unnamed).empty());
    }
}

TEST(SharingCheck, FindsAValueThatChangesWhenWhatIsBelievedIsSetAgain) {
    EXPECT_EQ(Scripted({.user = "ann"}).run({user, {"value", "role", "other"}}, {role}).size(), 1U);
    EXPECT_EQ(Scripted({.user = "ann"}).run({user, role, {"value", "my.own", ""}}, {role, {"value", "my.own", ""}}).size(), 1U);
}

TEST(SharingCheck, SaysWhyItCouldNotAsk) {
    Scripted server({.user = "ann"});
    server.error("57014");
    for (char const status : {'E', 'E', 'E', 'I'}) server.ready(status);
    EXPECT_TRUE(server.check.is_done());
    EXPECT_EQ(server.check.failure(), "of the test");
}

}  // namespace
}  // namespace pgtandem::proxy
