#include "instance/credentials.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/temporary_folder.hpp"

namespace pgtandem {

TEST(WantedCredentials, come_from_the_three_variables_of_the_postgres_image) {
    auto const wanted = wanted_from(
        {{"POSTGRES_USER", "anna"}, {"POSTGRES_PASSWORD", "p"}, {"POSTGRES_DB", "shop"}, {"OTHER", "x"}}, "db.env");
    ASSERT_TRUE(wanted);
    EXPECT_EQ(wanted->user, "anna");
    EXPECT_EQ(wanted->password, "p");
    EXPECT_EQ(wanted->database, "shop");
}

TEST(WantedCredentials, refuse_a_variable_that_would_do_nothing) {
    auto const wanted = wanted_from({{"POSTGRES_PASWORD", "p"}}, "db.env");
    ASSERT_FALSE(wanted);
    EXPECT_EQ(wanted.error().kind, ErrorKind::usage);
    EXPECT_EQ(wanted.error().hint, "did you mean POSTGRES_PASSWORD?");
}

TEST(Credentials, left_open_are_as_the_postgres_image_makes_them) {
    auto const made = make_credentials({});
    ASSERT_TRUE(made);
    EXPECT_EQ(made->user, "postgres");
    EXPECT_EQ(made->database, "postgres");
    EXPECT_EQ(make_credentials({"anna", "", ""})->database, "anna");
    EXPECT_EQ(make_credentials({"anna", "p", "shop"})->database, "shop");
    EXPECT_EQ(make_credentials({"anna", "p", "shop"})->password, "p");
}

TEST(Credentials, left_open_have_long_passwords_that_are_all_different) {
    auto const one = make_credentials({});
    auto const other = make_credentials({});
    ASSERT_TRUE(one && other);
    EXPECT_GE(one->password.size(), 24U);
    EXPECT_NE(one->password, other->password);
    EXPECT_NE(one->password, one->admin_password);
    EXPECT_NE(one->admin_password, one->replication_password);
}

TEST(Credentials, refuse_names_that_are_kept_and_texts_that_cannot_be_stored) {
    struct Case {
        WantedCredentials wanted;
        std::string_view word;
    };
    for (auto const& [wanted, word] : {Case{{"pgtandem", "", "x"}, "is kept"},
                                       {{"pgtandem_replication", "", "x"}, "is kept"},
                                       {{"pgtandem_catalog", "", "x"}, "is kept"},
                                       {{"pg_monitor", "", "x"}, "is kept"},
                                       {{"anna", "", "template1"}, "templates"},
                                       {{"anna", "", "template0"}, "templates"},
                                       {{std::string(64, 'a'), "", "x"}, "1 to 63 bytes"},
                                       {{"anna", "", std::string(64, 'a')}, "1 to 63 bytes"},
                                       {{"an\nna", "", "x"}, "line breaks"},
                                       {{"anna", "p\nq", "x"}, "line break"}}) {
        auto const made = make_credentials(wanted);
        ASSERT_FALSE(made) << wanted.user;
        EXPECT_EQ(made.error().kind, ErrorKind::usage);
        EXPECT_NE(made.error().why.find(word), std::string::npos) << made.error().why;
        EXPECT_EQ(made.error().line().find("p\nq"), std::string::npos) << "a password stands in a message";
    }
    EXPECT_TRUE(make_credentials({std::string(63, 'a'), "", ""}));
}

TEST(Credentials, are_read_back_and_only_their_owner_may_read_them) {
    TemporaryFolder const folder;
    ClusterPaths const paths{folder.path()};
    EXPECT_EQ(load_credentials(paths)->has_value(), false);
    Credentials const written{"an:na", "p\\a:s's \"$", "my shop", "admin", "replication", "catalog", "logins", "monitor"};
    ASSERT_TRUE(save_credentials(paths, written));
    auto const read = load_credentials(paths);
    ASSERT_TRUE(read && *read);
    EXPECT_EQ((*read)->user, written.user);
    EXPECT_EQ((*read)->password, written.password);
    EXPECT_EQ((*read)->database, written.database);
    EXPECT_EQ((*read)->admin_password, "admin");
    EXPECT_EQ((*read)->replication_password, "replication");
    EXPECT_EQ((*read)->catalog_password, "catalog");
    EXPECT_EQ((*read)->logins_password, "logins");
    EXPECT_EQ((*read)->monitor_password, "monitor");
    EXPECT_EQ(read_file(paths.passfile()), "*:*:*:an\\:na:p\\\\a\\:s's \"$\n");
    for (auto const& entry : std::filesystem::directory_iterator(folder.path())) {
        struct stat info {};
        ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 07777, 0600U) << entry.path();
    }
}

}  // namespace pgtandem
