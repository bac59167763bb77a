#include "io/identity.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace pgtandem {

TEST(Identity, we_are_who_the_system_says) {
    auto const user = current_user();
    EXPECT_EQ(user.uid, ::geteuid());
    EXPECT_EQ(user.name, user_name(::geteuid()));
    EXPECT_FALSE(user.home.empty());
}

TEST(Identity, finds_users_by_name) {
    auto const root = find_user("root");
    ASSERT_TRUE(root);
    EXPECT_EQ(root->uid, 0U);
    auto const nobody = find_user("no such user");
    ASSERT_FALSE(nobody);
    EXPECT_EQ(nobody.error().line(), "looking for the system user: no such user: there is none");
}

TEST(Identity, a_number_without_a_name_is_its_own_name) { EXPECT_EQ(user_name(3'999'999'999), "3999999999"); }

}  // namespace pgtandem
