// Runs programs: waits with a deadline, can be told to stop, never leaves a child behind.
#pragma once
#include <sys/types.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/deadline.hpp"
#include "base/files.hpp"
#include "base/result.hpp"
#include "base/stop_signal.hpp"

namespace pgtandem {

struct Program {
    Path path;
    std::vector<std::string> arguments{};
    std::vector<std::pair<std::string, std::string>> environment{};  // added to our own
    Path directory{"/"};
    int executable_fd = -1;  // if set, this open file is executed; 'path' is only its name
};

struct Outcome {
    int status;  // the exit status, or 128 + the signal's number
    std::string output;
    std::string errors;
};

// Called with what the program writes to stderr, as it comes.
using OnErrors = std::function<void(std::string_view)>;

// Runs the program to its end and gives what it wrote (the last 1 MiB of each stream). The child dies with the calling
// thread. Errors: it cannot be started; 'stop' was requested or the deadline passed (then it has been ended and
// reaped). A non-zero status is not an error here.
Result<Outcome> run(Program const& program, StopSignal const& stop, Deadline deadline, OnErrors const& on_errors = {});

// Starts the program in a session of its own, to live on without us; stdin is /dev/null, stdout and stderr go to 'log'.
Result<pid_t> start_detached(Program const& program, Path const& log);

// The first lines of an outcome's errors (or of its output), for a message.
std::string explain(Outcome const& outcome);

}  // namespace pgtandem
