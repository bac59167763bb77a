#include "io/processes.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <sstream>

#include "base/text.hpp"
#include "io/identity.hpp"

namespace pgtandem {

namespace fs = std::filesystem;

namespace {

std::string process_name(pid_t pid) {
    auto const name = read_file(fmt::format("/proc/{}/comm", pid));
    return name ? std::string(trim(*name)) : std::string();
}

// What /proc says of a process that ends meanwhile, or has made itself unreadable: nothing. All else that goes wrong hides
// processes that are looked for.
bool has_gone(std::error_code const& error) {
    return error == std::errc::no_such_file_or_directory || error == std::errc::no_such_process ||
           error == std::errc::permission_denied;
}

Error cannot_see(std::string const& what, std::error_code const& error) { return {"looking for processes", what, error.message()}; }

std::error_code last_error() { return {errno, std::generic_category()}; }

// 'visit' gives a Status; the first error ends the walk.
template <class Visit>
Status for_each_process(Visit visit) {
    std::error_code error;
    fs::directory_iterator entry("/proc", error);
    for (fs::directory_iterator const end; !error && entry != end; entry.increment(error)) {
        auto const name = entry->path().filename().string();
        pid_t pid = 0;
        auto const [rest, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (bad == std::errc{} && rest == name.data() + name.size()) PGTANDEM_CHECK(visit(pid));
    }
    if (error) return fail(cannot_see("/proc", error));
    return {};
}

// Nothing where the process has gone.
Result<std::optional<std::string>> read_of_process(pid_t pid, char const* file) {
    auto const path = fmt::format("/proc/{}/{}", pid, file);
    UniqueFd const opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string content(4096, '\0');
    auto const got = opened ? ::read(opened.get(), content.data(), content.size()) : -1;
    if (got < 0 && has_gone(last_error())) return std::optional<std::string>();
    if (got < 0) return fail(cannot_see(path, last_error()));
    content.resize(static_cast<std::size_t>(got));
    return std::optional(std::move(content));
}

bool is_ours(pid_t pid) {
    struct stat info {};
    auto const uid = ::geteuid();
    return ::stat(fmt::format("/proc/{}", pid).c_str(), &info) == 0 && (info.st_uid == uid || uid == 0);
}

bool is_inside(Path const& inner, Path const& outer) {
    auto const [end, rest] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
    return end == outer.end();
}

struct Listener {
    std::uint64_t inode;
    uid_t uid;
};

// The socket that listens on the port, from the kernel's table (proc(5)).
std::optional<Listener> listening_socket(std::string const& table, std::uint16_t port) {
    auto const content = read_file(table);
    if (!content) return std::nullopt;
    for (auto const& line : split_lines(*content)) {
        std::istringstream fields(line);
        std::string slot, local, remote, state, queues, timer, retransmits, timeout;
        Listener listener{};
        fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> listener.uid >> timeout >>
            listener.inode;
        auto const colon = local.rfind(':');
        if (state != "0A" || colon == std::string::npos) continue;
        unsigned local_port = 0;
        std::from_chars(local.data() + colon + 1, local.data() + local.size(), local_port, 16);
        if (local_port == port) return listener;
    }
    return std::nullopt;
}

bool has_open(pid_t pid, std::string const& link) {
    std::error_code error;
    for (fs::directory_iterator entry(fmt::format("/proc/{}/fd", pid), error), end; !error && entry != end;
         entry.increment(error)) {
        std::error_code gone;
        if (fs::read_symlink(entry->path(), gone).string() == link) return true;
    }
    return false;
}

std::string taken_by(std::uint16_t port) {
    auto listener = listening_socket("/proc/net/tcp", port);
    if (!listener) listener = listening_socket("/proc/net/tcp6", port);
    if (!listener) return "taken by another program";
    auto const link = fmt::format("socket:[{}]", listener->inode);
    std::optional<Process> found;
    static_cast<void>(for_each_process([&](pid_t pid) -> Status {
        if (!found && has_open(pid, link)) found = Process{pid, process_name(pid)};
        return {};
    }));
    if (found) return fmt::format("taken by {} (process {})", found->name, found->pid);
    return fmt::format("taken by a program of user {}", user_name(listener->uid));
}

}  // namespace

Result<std::vector<Process>> processes_in(Path const& folder, std::span<std::string_view const> names) {
    std::vector<Process> found;
    std::error_code error;
    auto const place = fs::weakly_canonical(folder, error);
    if (error) return fail(cannot_see(folder.string(), error));
    PGTANDEM_CHECK(for_each_process([&](pid_t pid) -> Status {
        if (!is_ours(pid)) return {};
        PGTANDEM_TRY(comm, read_of_process(pid, "comm"));
        auto const name = std::string(trim(comm.value_or("")));
        if (std::ranges::find(names, name) == names.end()) return {};
        std::error_code unseen;
        auto const cwd = fs::read_symlink(fmt::format("/proc/{}/cwd", pid), unseen);
        if (unseen && !has_gone(unseen)) return fail(cannot_see(fmt::format("{} (process {})", name, pid), unseen));
        if (!unseen && is_inside(cwd, place)) found.push_back({pid, name});
        return {};
    }));
    return found;
}

Result<pid_t> find_process(std::span<std::string const> words) {
    std::string wanted;
    for (auto const& word : words) wanted += word + '\0';
    pid_t found = 0;
    PGTANDEM_CHECK(for_each_process([&](pid_t pid) -> Status {
        if (found != 0 || !is_ours(pid)) return {};
        PGTANDEM_TRY(line, read_of_process(pid, "cmdline"));
        auto const program_ends = line ? line->find('\0') : std::string::npos;
        if (program_ends != std::string::npos && std::string_view(*line).substr(program_ends + 1).starts_with(wanted)) found = pid;
        return {};
    }));
    return found;
}

bool is_ending(pid_t pid) {
    // Signals that have not been looked at yet come first: what is told of them there is told by the state afterwards.
    auto const status = read_file(fmt::format("/proc/{}/status", pid));
    auto const stat = read_file(fmt::format("/proc/{}/stat", pid));
    if (!status || !stat) return false;
    for (auto const& line : split_lines(*status)) {
        if (line.starts_with("SigPnd:") || line.starts_with("ShdPnd:")) {
            constexpr std::uint64_t kill_bit = 1U << (SIGKILL - 1);
            if ((std::strtoull(line.c_str() + 7, nullptr, 16) & kill_bit) != 0) return true;
        }
    }
    // The name before it may hold anything, ')' and blanks too.
    std::istringstream fields(stat->substr(stat->rfind(')') + 1));
    char state = 0;
    long parent = 0, group = 0, session = 0, terminal = 0, terminal_group = 0;
    unsigned long flags = 0;
    fields >> state >> parent >> group >> session >> terminal >> terminal_group >> flags;
    constexpr unsigned long exiting = 0x4;  // PF_EXITING of the kernel's sched.h
    return state == 'Z' || state == 'X' || (flags & exiting) != 0;
}

UniqueFd watch_process(pid_t pid) { return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

bool wait_for_end(pid_t pid, Deadline deadline) {
    auto const watch = watch_process(pid);
    if (!watch && errno == ESRCH) return true;
    pollfd entry{watch.get(), POLLIN, 0};
    // Where no descriptor can be had for it, it is looked at again and again.
    constexpr int look_milliseconds = 10;
    do {
        auto const left = deadline.poll_milliseconds();
        auto const wait = watch || (left >= 0 && left < look_milliseconds) ? left : look_milliseconds;
        if (::poll(&entry, 1, wait) > 0) return true;
        if (!watch && (::kill(pid, 0) != 0 || is_ending(pid))) return true;
    } while (!deadline.passed());
    return false;
}

std::optional<std::string> why_port_is_taken(std::string const& address, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    auto const service = std::to_string(port);
    int const code = ::getaddrinfo(address == "*" ? nullptr : address.c_str(), service.c_str(), &hints, &list);
    if (code != 0) return fmt::format("{} is no address here: {}", address, ::gai_strerror(code));
    std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> const owner(list, ::freeaddrinfo);
    for (auto const* entry = list; entry != nullptr; entry = entry->ai_next) {
        UniqueFd const socket(::socket(entry->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (!socket) continue;  // a family this machine does not have
        int const on = 1;
        ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (entry->ai_family == AF_INET6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        if (::bind(socket.get(), entry->ai_addr, entry->ai_addrlen) == 0 && ::listen(socket.get(), 1) == 0) continue;
        return errno == EADDRINUSE ? taken_by(port) : errno_text(errno);
    }
    return std::nullopt;
}

}  // namespace pgtandem
