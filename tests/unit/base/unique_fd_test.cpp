#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace pgtandem {

namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

}  // namespace

TEST(UniqueFd, closes_what_it_owns_once) {
    int number = -1;
    {
        UniqueFd first(::dup(STDERR_FILENO));
        number = first.get();
        UniqueFd second(std::move(first));
        EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): that it lets go is what is tested
        EXPECT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
}

TEST(UniqueFd, gives_away_what_it_releases) {
    UniqueFd owner(::dup(STDERR_FILENO));
    UniqueFd const next(owner.release());
    EXPECT_FALSE(owner);
    EXPECT_TRUE(is_open(next.get()));
}

}  // namespace pgtandem
