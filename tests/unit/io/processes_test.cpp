#include "io/processes.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/no_descriptors.hpp"
#include "support/temporary_folder.hpp"

namespace pgtandem {

namespace {

// A child of this name, in this folder, until it goes out of scope.
class Sleeper {
public:
    Sleeper(Path const& folder, char const* name) {
        int ready[2];
        EXPECT_EQ(::pipe(ready), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_NAME, name);
            if (::chdir(folder.c_str()) != 0 || ::write(ready[1], "y", 1) != 1) ::_exit(1);
            for (;;) ::pause();
        }
        char word = 0;
        EXPECT_EQ(::read(ready[0], &word, 1), 1);
        ::close(ready[0]);
        ::close(ready[1]);
    }
    Sleeper(Sleeper const&) = delete;
    Sleeper& operator=(Sleeper const&) = delete;
    ~Sleeper() { end(); }

    pid_t pid() const { return pid_; }
    void end() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

private:
    pid_t pid_ = 0;
};

struct Listener {
    UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    std::uint16_t port = 0;

    Listener() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(socket.get(), generic, length), 0);
        EXPECT_EQ(::listen(socket.get(), 1), 0);
        EXPECT_EQ(::getsockname(socket.get(), generic, &length), 0);
        port = ntohs(address.sin_port);
    }
};

std::vector<pid_t> found_in(Path const& folder) {
    constexpr std::string_view names[] = {"postgres", "initdb"};
    std::vector<pid_t> pids;
    auto const found = processes_in(folder, names);
    for (auto const& process : found.value()) pids.push_back(process.pid);
    return pids;
}

}  // namespace

TEST(ProcessesIn, finds_those_of_the_name_in_the_folder_and_below) {
    TemporaryFolder const folder;
    ASSERT_TRUE(make_directory(folder / "data" / "base"));
    ASSERT_TRUE(make_directory(folder / "data2"));
    Sleeper const inside(folder / "data" / "base", "postgres");
    Sleeper const beside(folder / "data2", "postgres");
    Sleeper const other(folder / "data", "bash");
    EXPECT_EQ(found_in(folder / "data"), std::vector{inside.pid()});
    EXPECT_EQ(found_in(folder / "none"), std::vector<pid_t>{});
    EXPECT_EQ(found_in(folder.path()).size(), 2U);
}

TEST(ProcessesIn, finds_through_a_link_to_the_folder) {
    TemporaryFolder const folder;
    ASSERT_TRUE(make_directory(folder / "data"));
    std::filesystem::create_directory_symlink(folder / "data", folder / "link");
    Sleeper const inside(folder / "data", "initdb");
    EXPECT_EQ(found_in(folder / "link"), std::vector{inside.pid()});
}

TEST(ProcessesIn, says_when_they_cannot_be_seen) {
    TemporaryFolder const folder;
    Sleeper const inside(folder.path(), "postgres");
    constexpr std::string_view names[] = {"postgres"};
    NoDescriptors const none;
    EXPECT_FALSE(processes_in(folder.path(), names));
}

TEST(FindProcess, knows_one_by_its_first_words) {
    TemporaryFolder const folder;
    auto const pid = ::fork();
    if (pid == 0) {
        ::execl("/bin/sh", "a name", "-c", "kill -STOP $$; : some folder", static_cast<char*>(nullptr));
        ::_exit(127);
    }
    std::string const words[] = {"-c", "kill -STOP $$; : some folder"};
    std::string const others[] = {"-c", "kill -STOP $$"};
    auto const deadline = Deadline::in(10s);
    while (find_process(words).value() == 0 && !deadline.passed()) ::usleep(1000);
    EXPECT_EQ(find_process(words).value(), pid);
    EXPECT_EQ(find_process(others).value(), 0);
    ::kill(pid, SIGKILL);
    // Also before it is reaped.
    EXPECT_TRUE(wait_for_end(pid, Deadline::in(10s)));
    EXPECT_EQ(find_process(words).value(), 0);
    ::waitpid(pid, nullptr, 0);
}

TEST(WaitForEnd, is_not_fooled_by_a_lack_of_descriptors) {
    Sleeper const sleeper("/", "sleeper");
    NoDescriptors const none;
    EXPECT_FALSE(wait_for_end(sleeper.pid(), Deadline::in(50ms)));
}

TEST(WaitForEnd, tells_one_that_has_ended_from_one_that_has_not) {
    Sleeper sleeper("/", "sleeper");
    EXPECT_FALSE(wait_for_end(sleeper.pid(), Deadline::in(0ms)));
    ::kill(sleeper.pid(), SIGKILL);
    EXPECT_TRUE(wait_for_end(sleeper.pid(), Deadline::in(60s)));
    auto const gone = sleeper.pid();
    sleeper.end();
    EXPECT_TRUE(wait_for_end(gone, Deadline::in(0ms)));
    EXPECT_FALSE(watch_process(gone));
}

TEST(WhyPortIsTaken, names_the_one_who_has_it) {
    Listener const listener;
    for (auto const* address : {"127.0.0.1", "*"}) {
        auto const why = why_port_is_taken(address, listener.port);
        ASSERT_TRUE(why) << address;
        EXPECT_EQ(why, "taken by unit_tests (process " + std::to_string(::getpid()) + ")");
    }
}

TEST(WhyPortIsTaken, is_nothing_where_the_port_is_free) {
    std::uint16_t port = 0;
    {
        Listener const listener;
        port = listener.port;
    }
    EXPECT_EQ(why_port_is_taken("127.0.0.1", port), std::nullopt);
}

TEST(WhyPortIsTaken, says_what_is_no_address_here) {
    auto const why = why_port_is_taken("192.0.2.1", 6441);
    ASSERT_TRUE(why);
    EXPECT_EQ(*why, "Cannot assign requested address");
    EXPECT_TRUE(why_port_is_taken("not an address", 6441)->starts_with("not an address is no address here: "));
}

}  // namespace pgtandem
