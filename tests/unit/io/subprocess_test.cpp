#include "io/subprocess.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.hpp"
#include "io/processes.hpp"
#include "support/temporary_folder.hpp"

namespace pgtandem {

namespace {

Program shell(std::string const& script) { return {"/bin/sh", {"-c", script}}; }

Result<Outcome> run_shell(std::string const& script) {
    StopSignal const never;
    return run(shell(script), never, Deadline::in(60s));
}

}  // namespace

TEST(Run, gives_status_and_both_streams) {
    auto const outcome = run_shell("echo out; echo err >&2; exit 3");
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, 3);
    EXPECT_EQ(outcome->output, "out\n");
    EXPECT_EQ(outcome->errors, "err\n");
    EXPECT_EQ(run_shell("kill -9 $$")->status, 128 + 9);
}

TEST(Run, starts_with_no_input_the_root_as_folder_and_what_was_added_to_the_environment) {
    ASSERT_EQ(::setenv("PGTANDEM_UNIT_TEST", "ours", 1), 0);
    StopSignal const never;
    auto program = shell("cat; pwd; echo $PGTANDEM_UNIT_TEST");
    EXPECT_EQ(run(program, never, Deadline::in(60s))->output, "/\nours\n");
    program.environment = {{"PGTANDEM_UNIT_TEST", "added"}};
    EXPECT_EQ(run(program, never, Deadline::in(60s))->output, "/\nadded\n");
    ::unsetenv("PGTANDEM_UNIT_TEST");
}

TEST(Run, keeps_the_end_of_what_is_too_much) {
    auto const outcome = run_shell("yes line | head -c 4000000; echo the end");
    ASSERT_TRUE(outcome);
    EXPECT_GE(outcome->output.size(), std::size_t{1} << 20);
    EXPECT_LE(outcome->output.size(), std::size_t{2} << 20);
    EXPECT_TRUE(outcome->output.ends_with("the end\n"));
}

TEST(Run, hands_errors_on_as_they_come) {
    StopSignal const never;
    std::string seen;
    auto const outcome =
        run(shell("echo no; echo yes >&2"), never, Deadline::in(60s), [&](std::string_view chunk) { seen += chunk; });
    EXPECT_TRUE(outcome);
    EXPECT_EQ(seen, "yes\n");
}

TEST(Run, says_what_cannot_be_started) {
    StopSignal const never;
    auto const missing = run({"/none/program"}, never, Deadline::in(60s));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().line(), "starting a program: /none/program: No such file or directory");
    Program elsewhere = shell("true");
    elsewhere.directory = "/none";
    EXPECT_FALSE(run(elsewhere, never, Deadline::in(60s)));
}

TEST(Run, ends_the_child_when_the_time_is_over_or_somebody_asks) {
    struct Case {
        bool is_stopped;
        Deadline deadline;
        ErrorKind kind;
    };
    for (auto const& [is_stopped, deadline, kind] :
         {Case{true, Deadline::never(), ErrorKind::stopped}, Case{false, Deadline::in(20ms), ErrorKind::timed_out}}) {
        TemporaryFolder const folder;
        StopSignal const stop;
        if (is_stopped) stop.request();
        auto program = shell("exec sleep 1000");
        program.directory = folder.path();
        auto const outcome = run(program, stop, deadline);
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().kind, kind);
        constexpr std::string_view names[] = {"sleep", "sh"};
        EXPECT_TRUE(processes_in(folder.path(), names).value().empty());
    }
}

TEST(Run, can_execute_an_open_file) {
    UniqueFd const program(::open("/bin/sh", O_RDONLY | O_CLOEXEC));
    StopSignal const never;
    Program by_file{"any-name", {"-c", "echo $0"}, {}, "/", program.get()};
    auto const outcome = run(by_file, never, Deadline::in(60s));
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->output, "any-name\n");
}

TEST(StartDetached, lives_in_a_session_of_its_own_and_writes_to_the_log) {
    TemporaryFolder const folder;
    auto const pid = start_detached(shell("echo said; echo wrong >&2; ps -o sid= -p $$"), folder / "log");
    ASSERT_TRUE(pid);
    EXPECT_TRUE(wait_for_end(*pid, Deadline::in(60s)));
    ::waitpid(*pid, nullptr, 0);
    auto const log = read_file(folder / "log");
    ASSERT_TRUE(log);
    auto const lines = split_lines(*log);
    ASSERT_EQ(lines.size(), 3U) << *log;
    EXPECT_EQ(lines[0], "said");
    EXPECT_EQ(lines[1], "wrong");
    EXPECT_EQ(trim(lines[2]), std::to_string(*pid));
}

TEST(StartDetached, says_what_cannot_be_started) {
    TemporaryFolder const folder;
    EXPECT_FALSE(start_detached({"/none/program"}, folder / "log"));
    EXPECT_FALSE(start_detached(shell("true"), folder / "none" / "log"));
}

TEST(Explain, takes_the_last_lines_of_the_errors_or_else_of_the_output) {
    EXPECT_EQ(explain({1, "out\n", "err\n"}), "err");
    EXPECT_EQ(explain({1, "out\n", " \n"}), "out");
    EXPECT_EQ(explain({7, "", ""}), "ended with status 7 and no message");
    EXPECT_EQ(explain({1, "", "1\n2\n3\n4\n5\n6\n7\n"}), "2\n  3\n  4\n  5\n  6\n  7");
}

}  // namespace pgtandem
