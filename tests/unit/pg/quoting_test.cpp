#include "pg/quoting.hpp"

#include <gtest/gtest.h>

namespace pgtandem {

TEST(Quoting, each_place_has_its_own_way) {
    struct Case {
        std::string_view text, identifier, literal, setting, conninfo, passfile, uri;
    };
    for (auto const& row : {
             Case{"", "\"\"", "''", "''", "''", "", ""},
             Case{"plain", "\"plain\"", "'plain'", "'plain'", "'plain'", "plain", "plain"},
             Case{"it's", "\"it's\"", "'it''s'", "'it''s'", "'it\\'s'", "it's", "it%27s"},
             Case{"a\"b", "\"a\"\"b\"", "'a\"b'", "'a\"b'", "'a\"b'", "a\"b", "a%22b"},
             Case{"a\\b", "\"a\\b\"", "E'a\\\\b'", "'a\\\\b'", "'a\\\\b'", "a\\\\b", "a%5Cb"},
             Case{"\\'", "\"\\'\"", "E'\\\\'''", "'\\\\'''", "'\\\\\\''", "\\\\'", "%5C%27"},
             Case{"a:b/c@d", "\"a:b/c@d\"", "'a:b/c@d'", "'a:b/c@d'", "'a:b/c@d'", "a\\:b/c@d", "a%3Ab%2Fc%40d"},
             Case{"-._~ %", "\"-._~ %\"", "'-._~ %'", "'-._~ %'", "'-._~ %'", "-._~ %", "-._~%20%25"},
             Case{"\xC3\xA9", "\"\xC3\xA9\"", "'\xC3\xA9'", "'\xC3\xA9'", "'\xC3\xA9'", "\xC3\xA9", "%C3%A9"},
         }) {
        EXPECT_EQ(quoted_identifier(row.text), row.identifier);
        EXPECT_EQ(quoted_literal(row.text), row.literal);
        EXPECT_EQ(quoted_setting(row.text), row.setting);
        EXPECT_EQ(quoted_conninfo_value(row.text), row.conninfo);
        EXPECT_EQ(quoted_passfile_field(row.text), row.passfile);
        EXPECT_EQ(percent_encoded(row.text), row.uri);
    }
}

}  // namespace pgtandem
