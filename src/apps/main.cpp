// The program: reads the command, runs it, gives its exit status.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "apps/commands.hpp"
#include "base/unique_fd.hpp"
#include "cli/terminal.hpp"

namespace {

using namespace pgtandem;

// libpq and PostgreSQL's programs listen to PG* variables; ours say everything on their own. Messages are to be
// PostgreSQL's own words, whatever the language of the terminal.
void clean_environment() {
    std::vector<std::string> names;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        std::string_view const variable(*entry);
        auto const name = variable.substr(0, variable.find('='));
        bool const is_postgres = name.starts_with("PG") && !name.starts_with("PGTANDEM_") && name != "PGTZ";
        if (is_postgres) names.emplace_back(name);
    }
    for (auto const& name : names) ::unsetenv(name.c_str());
}

Result<int> run(cli::CommandLine const& line) {
    // Kept open from the start, so that guards can be started whatever becomes of the file's path.
    UniqueFd const self(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    if (!self) return fail_errno("opening the program", "/proc/self/exe");
    if (line.command == "up") return apps::up(line, {self.get(), "pgtandem"});
    if (line.command == "down") return apps::down(line);
    if (line.command == "status") return apps::status(line);
    if (line.command == "verify") return apps::verify(line);
    if (line.command == "reset") return apps::reset(line);
    if (line.command == "psql") return apps::psql(line);
    if (line.command == "replica") return apps::replica(line);
    if (line.command == "config") return apps::config(line);
    if (line.command == "proxy") return apps::proxy_command(line);
    if (line.command == "guard") return apps::guard(line);
    fmt::print("{}", cli::overview());
    return line.command.empty() ? 2 : 0;
}

int run_words(std::vector<std::string> const& words) {
    auto const line = cli::parse_command_line(words);
    if (!line) {
        cli::print_error(line.error());
        return cli::exit_status(line.error());
    }
    if (line->wants_version) {
        fmt::print("pgtandem {}\n", PGTANDEM_VERSION);
        return 0;
    }
    if (line->wants_help) {
        fmt::print("{}", line->command.empty() ? cli::overview() : cli::help(*cli::find_command(line->command)));
        return 0;
    }
    auto const done = run(*line);
    if (done) return *done;
    cli::print_error(done.error());
    return cli::exit_status(done.error());
}

}  // namespace

int main(int count, char** words) {
    ::signal(SIGPIPE, SIG_IGN);
    ::umask(077);
    clean_environment();
    try {
        return run_words({words + 1, words + count});
    } catch (std::exception const& error) {
        fmt::print(stderr, "pgtandem: a fault in pgtandem itself: {}\n", error.what());
        return 1;
    }
}
