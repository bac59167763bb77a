#include "io/subprocess.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/text.hpp"
#include "base/unique_fd.hpp"

namespace pgtandem {

namespace {

// All that exec needs, made before fork: after it, a child of a program with threads may not allocate.
class ExecPlan {
public:
    explicit ExecPlan(Program const& program) : program_(program) {
        strings_.push_back(program.path.string());
        for (auto const& argument : program.arguments) strings_.push_back(argument);
        for (auto& text : strings_) argv_.push_back(text.data());
        argv_.push_back(nullptr);
        add_environment();
    }

    // In the child only. Returns if exec failed.
    void exec() {
        if (::chdir(program_.directory.c_str()) != 0) return;
        if (program_.executable_fd >= 0) {
            ::fexecve(program_.executable_fd, argv_.data(), envp_.data());
        } else {
            ::execve(program_.path.c_str(), argv_.data(), envp_.data());
        }
    }

private:
    void add_environment() {
        for (char** entry = environ; *entry != nullptr; ++entry) {
            std::string_view const variable(*entry);
            if (!is_replaced(variable.substr(0, variable.find('=')))) variables_.emplace_back(variable);
        }
        for (auto const& [name, value] : program_.environment) variables_.push_back(name + "=" + value);
        for (auto& text : variables_) envp_.push_back(text.data());
        envp_.push_back(nullptr);
    }

    bool is_replaced(std::string_view name) const {
        for (auto const& [replaced, value] : program_.environment) {
            if (replaced == name) return true;
        }
        return false;
    }

    Program const& program_;
    std::vector<std::string> strings_;
    std::vector<char*> argv_;
    std::vector<std::string> variables_;
    std::vector<char*> envp_;
};

struct Pipe {
    UniqueFd read_end;
    UniqueFd write_end;
};

Result<Pipe> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("making a pipe", "");
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

[[noreturn]] void report_errno_and_exit(int fd) {
    int const number = errno;
    [[maybe_unused]] auto const put = ::write(fd, &number, sizeof number);
    ::_exit(127);
}

void reset_signals() {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
}

void wire_up(int in, int out, int err) {
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
}

// Waits for the child's word: end of file when exec succeeded, an errno value when it did not.
Status wait_for_exec(UniqueFd const& failure, pid_t pid, Program const& program) {
    int number = 0;
    ssize_t got = 0;
    do {
        got = ::read(failure.get(), &number, sizeof number);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) return {};
    ::waitpid(pid, nullptr, 0);
    return fail("starting a program", program.path.string(), errno_text(number));
}

constexpr std::size_t kept_bytes = 1 << 20;

void append_bounded(std::string& kept, std::string_view chunk) {
    kept.append(chunk);
    if (kept.size() > 2 * kept_bytes) kept.erase(0, kept.size() - kept_bytes);
}

// A child being waited for, the leader of a process group; ended with the whole group if nobody did it by the time this
// goes.
class Child {
public:
    explicit Child(pid_t pid) : pid_(pid) {}
    Child(Child const&) = delete;
    Child& operator=(Child const&) = delete;
    ~Child() {
        if (pid_ <= 0) return;
        auto const group = -pid_;
        ::kill(group, SIGKILL);
        reap();
        // Its own children are not ours to reap; whoever does takes a moment.
        auto const deadline = Deadline::in(2s);
        while (::kill(group, 0) == 0 && !deadline.passed()) ::usleep(500);
    }

    int reap() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }

private:
    pid_t pid_;
};

// Reads both streams until both end. False when asked to stop or out of time.
enum class Ended { closed, stopped, timed_out };

Ended drain(Pipe& out, Pipe& err, Outcome& outcome, StopSignal const& stop, Deadline deadline,
            OnErrors const& on_errors) {
    std::array<pollfd, 3> entries{pollfd{out.read_end.get(), POLLIN, 0}, pollfd{err.read_end.get(), POLLIN, 0},
                                  pollfd{stop.fd(), POLLIN, 0}};
    std::array<char, 16384> buffer;
    while (entries[0].fd >= 0 || entries[1].fd >= 0) {
        ::poll(entries.data(), entries.size(), deadline.poll_milliseconds());
        if (entries[2].revents != 0) return Ended::stopped;
        if (deadline.passed()) return Ended::timed_out;
        for (std::size_t stream = 0; stream < 2; ++stream) {
            if (entries[stream].fd < 0 || entries[stream].revents == 0) continue;
            auto const got = ::read(entries[stream].fd, buffer.data(), buffer.size());
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) {
                entries[stream].fd = -1;
                continue;
            }
            std::string_view const chunk(buffer.data(), static_cast<std::size_t>(got));
            append_bounded(stream == 0 ? outcome.output : outcome.errors, chunk);
            if (stream == 1 && on_errors) on_errors(chunk);
        }
    }
    return Ended::closed;
}

}  // namespace

Result<Outcome> run(Program const& program, StopSignal const& stop, Deadline deadline, OnErrors const& on_errors) {
    PGTANDEM_TRY(out, make_pipe());
    PGTANDEM_TRY(err, make_pipe());
    PGTANDEM_TRY(failure, make_pipe());
    UniqueFd const nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!nothing) return fail_errno("starting a program", "/dev/null");
    ExecPlan plan(program);
    auto const parent = ::getpid();
    auto const pid = ::fork();
    if (pid < 0) return fail_errno("starting a program", program.path.string());
    if (pid == 0) {
        // A group of its own: what it starts can be ended with it, and a terminal's Ctrl-C is for us alone.
        ::setpgid(0, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(127);
        wire_up(nothing.get(), out.write_end.get(), err.write_end.get());
        reset_signals();
        plan.exec();
        report_errno_and_exit(failure.write_end.get());
    }
    failure.write_end.reset();
    out.write_end.reset();
    err.write_end.reset();
    PGTANDEM_CHECK(wait_for_exec(failure.read_end, pid, program));
    Child child(pid);
    Outcome outcome{};
    switch (drain(out, err, outcome, stop, deadline, on_errors)) {
        case Ended::closed: break;
        case Ended::stopped:
            return fail(Error{"running", program.path.filename().string(), "stopped", "", ErrorKind::stopped});
        case Ended::timed_out:
            return fail(Error{"running", program.path.filename().string(), "took too long", "", ErrorKind::timed_out});
    }
    outcome.status = child.reap();
    return outcome;
}

Result<pid_t> start_detached(Program const& program, Path const& log) {
    PGTANDEM_TRY(failure, make_pipe());
    UniqueFd const nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!nothing) return fail_errno("starting a program", "/dev/null");
    UniqueFd const log_file(::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!log_file) return fail_errno("writing", log.string());
    ExecPlan plan(program);
    auto const pid = ::fork();
    if (pid < 0) return fail_errno("starting a program", program.path.string());
    if (pid == 0) {
        ::setsid();
        wire_up(nothing.get(), log_file.get(), log_file.get());
        reset_signals();
        plan.exec();
        report_errno_and_exit(failure.write_end.get());
    }
    failure.write_end.reset();
    PGTANDEM_CHECK(wait_for_exec(failure.read_end, pid, program));
    return pid;
}

std::string explain(Outcome const& outcome) {
    auto const& text = trim(outcome.errors).empty() ? outcome.output : outcome.errors;
    auto lines = split_lines(trim(text));
    if (lines.empty()) return fmt::format("ended with status {} and no message", outcome.status);
    constexpr std::size_t most = 6;
    if (lines.size() > most) lines.erase(lines.begin(), lines.end() - most);
    return join(lines, "\n  ");
}

}  // namespace pgtandem
