#include "io/lock_file.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "io/processes.hpp"
#include "support/no_descriptors.hpp"
#include "support/temporary_folder.hpp"

namespace pgtandem {

TEST(LockFile, is_held_by_one_and_free_when_that_one_lets_go) {
    TemporaryFolder const folder;
    auto const path = folder / "lock";
    EXPECT_FALSE(LockFile::holder(path).value());
    {
        auto const lock = LockFile::try_take(path);
        ASSERT_TRUE(lock && *lock);
        EXPECT_EQ(LockFile::holder(path).value(), ::getpid());
        auto const second = LockFile::try_take(path);
        ASSERT_TRUE(second);
        EXPECT_FALSE(*second);
    }
    EXPECT_FALSE(LockFile::holder(path).value());
    auto const again = LockFile::try_take(path);
    EXPECT_TRUE(again && *again);
}

TEST(LockFile, dies_with_its_holder) {
    TemporaryFolder const folder;
    auto const path = folder / "lock";
    int taken[2];
    ASSERT_EQ(::pipe(taken), 0);
    auto const child = ::fork();
    if (child == 0) {
        auto const lock = LockFile::try_take(path);
        char const word = lock && *lock ? 'y' : 'n';
        if (::write(taken[1], &word, 1) != 1) ::_exit(1);
        for (;;) ::pause();
    }
    char word = 0;
    ASSERT_EQ(::read(taken[0], &word, 1), 1);
    EXPECT_EQ(word, 'y');
    EXPECT_EQ(LockFile::holder(path).value(), child);
    EXPECT_FALSE(*LockFile::try_take(path));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_FALSE(LockFile::holder(path).value());
    ::close(taken[0]);
    ::close(taken[1]);
}

TEST(LockFile, of_one_that_is_just_ending_is_waited_for) {
    TemporaryFolder const folder;
    auto const path = folder / "lock";
    int may_end[2];
    ASSERT_EQ(::pipe(may_end), 0);
    auto const child = ::fork();
    if (child == 0) {
        auto const lock = LockFile::try_take(path);
        // Its first thread ends, and is a zombie; the other keeps all open until it is told to end.
        std::thread([told = may_end[0]] {
            char word = 0;
            ::_exit(::read(told, &word, 1) == 1 ? 0 : 1);
        }).detach();
        ::syscall(SYS_exit, 0);  // of this thread alone
    }
    while (!(LockFile::holder(path).value() == child && is_ending(child))) ::usleep(1000);
    std::thread end([&] { EXPECT_EQ(::write(may_end[1], "e", 1), 1); });
    auto const lock = LockFile::try_take(path);
    EXPECT_TRUE(lock && *lock);
    end.join();
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    ::close(may_end[0]);
    ::close(may_end[1]);
}

TEST(LockFile, says_where_it_cannot_lock_and_follows_no_link) {
    TemporaryFolder const folder;
    auto const lock = LockFile::try_take(folder / "none" / "lock");
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().what, "locking");
    std::filesystem::create_symlink(folder / "elsewhere", folder / "link");
    EXPECT_FALSE(LockFile::try_take(folder / "link"));
    EXPECT_FALSE(is_there(folder / "elsewhere"));
}

// Without descriptors nothing can be seen: neither that somebody holds a lock nor that nobody does.
TEST(LockFile, says_when_it_cannot_see_who_holds_it) {
    TemporaryFolder const folder;
    auto const path = folder / "lock";
    auto const lock = LockFile::try_take(path);
    ASSERT_TRUE(lock && *lock);
    NoDescriptors const none;
    auto const holder = LockFile::holder(path);
    ASSERT_FALSE(holder);
    EXPECT_EQ(holder.error().why, "Too many open files");
}

}  // namespace pgtandem
