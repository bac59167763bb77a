#include "agent/guard.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "instance/server.hpp"
#include "io/lock_file.hpp"

namespace pgtandem {

namespace {

sigset_t handled_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (int const number : {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP}) ::sigaddset(&set, number);
    return set;
}

[[noreturn]] void become_postgres(NodePaths const& node, Path const& postgres, pid_t guard, sigset_t const& blocked) {
    // The guard's death is the server's: an immediate shutdown, which recovery makes good.
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (::getppid() != guard) ::_exit(1);
    ::sigprocmask(SIG_UNBLOCK, &blocked, nullptr);
    auto const data = node.data().string();
    // By its whole name: PostgreSQL finds its other files from the name it is called by.
    ::execl(postgres.c_str(), postgres.c_str(), "-D", data.c_str(), static_cast<char*>(nullptr));
    std::perror(postgres.c_str());
    ::_exit(127);
}

void pass_on(pid_t postmaster, int number) {
    // PostgreSQL's shutdown modes: SIGINT is "fast", SIGQUIT "immediate". A server that was stopped must go on to stop.
    ::kill(postmaster, number == SIGQUIT ? SIGQUIT : SIGINT);
    ::kill(postmaster, SIGCONT);
}

// True when the postmaster was among the ended; its status is then in 'status'.
bool reap(pid_t postmaster, int& status) {
    bool ended = false;
    int child_status = 0;
    while (auto const pid = ::waitpid(-1, &child_status, WNOHANG)) {
        if (pid < 0) break;
        if (pid != postmaster) continue;
        ended = true;
        status = child_status;
    }
    return ended;
}

}  // namespace

int run_guard(NodePaths const& node, Path const& postgres) {
    auto const lock = LockFile::try_take(node.guard_lock());
    if (!lock || !*lock) {
        std::fprintf(stderr, "FATAL:  %s\n", lock ? "another guard runs this node" : lock.error().line().c_str());
        return 1;
    }
    auto const signals = handled_signals();
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    // Backends whose postmaster was killed become our children, so that none is out of sight.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    auto const guard = ::getpid();
    auto const postmaster = ::fork();
    if (postmaster < 0) {
        std::perror("FATAL:  fork");
        return 1;
    }
    if (postmaster == 0) become_postgres(node, postgres, guard, signals);
    for (;;) {
        int number = 0;
        if (::sigwait(&signals, &number) != 0) continue;
        int status = 0;
        if (number == SIGCHLD && reap(postmaster, status)) {
            if (auto const ended = end_leftover_servers(node.data()); !ended) {
                std::fprintf(stderr, "LOG:  %s\n", ended.error().line().c_str());
            }
            return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
        }
        if (number == SIGTERM || number == SIGINT || number == SIGQUIT) pass_on(postmaster, number);
    }
}

}  // namespace pgtandem
