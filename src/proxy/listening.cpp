#include "proxy/listening.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

namespace pgtandem::proxy {

namespace {

constexpr int backlog = 4096;

// Several sockets on one port share its connections; a single one makes sure that nobody else has the port.
Result<UniqueFd> open_socket(io::SocketAddress const& address, bool shares_port, std::string const& name) {
    UniqueFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return fail_errno("opening the endpoint", name);
    int const yes = 1;
    if (address.storage.ss_family != AF_UNIX) {
        ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        if (shares_port) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
    }
    if (::bind(fd.get(), reinterpret_cast<sockaddr const*>(&address.storage), address.length) != 0 || ::listen(fd.get(), backlog) != 0) {
        auto error = fail_errno("opening the endpoint", name);
        return fail(std::move(error.value()).with_hint("--endpoint-port and --reads-port with others"));
    }
    return fd;
}

bool is_bound_to(int fd, io::SocketAddress const& address) {
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return false;
    if (bound.ss_family != address.storage.ss_family) return false;
    if (bound.ss_family != AF_UNIX) return std::memcmp(&bound, &address.storage, address.length) == 0;
    // The kernel counts the path's closing zero, others may not.
    return std::strcmp(reinterpret_cast<sockaddr_un const&>(bound).sun_path,
                       reinterpret_cast<sockaddr_un const&>(address.storage).sun_path) == 0;
}

class Opening {
public:
    Opening(std::vector<ListeningSocket>& taken, unsigned threads) : taken_(taken), threads_(threads) {}

    Status open(io::SocketAddress const& address, Target target, std::string const& name) {
        bool found = false;
        for (auto& socket : taken_) {
            if (!socket.fd || socket.target != target || !is_bound_to(socket.fd.get(), address)) continue;
            sockets_.push_back(std::move(socket));
            found = true;
        }
        if (found) return {};
        bool const is_unix = address.storage.ss_family == AF_UNIX;
        if (is_unix) {
            std::error_code ignored;
            std::filesystem::remove(name, ignored);  // of one that was killed
        }
        for (unsigned number = 0; number < (is_unix ? 1 : threads_); ++number) {
            PGTANDEM_TRY(fd, open_socket(address, !is_unix && threads_ > 1, name));
            sockets_.push_back({std::move(fd), target});
        }
        return {};
    }

    std::vector<ListeningSocket> take() { return std::move(sockets_); }

private:
    std::vector<ListeningSocket>& taken_;
    unsigned threads_;
    std::vector<ListeningSocket> sockets_;
};

}  // namespace

Result<std::vector<ListeningSocket>> open_sockets(EndpointSettings const& settings, unsigned threads,
                                                  std::vector<ListeningSocket> taken) {
    Opening opening(taken, threads);
    for (auto const target : {Target::primary, Target::replicas}) {
        auto const port = target == Target::primary ? settings.port : settings.reads_port;
        if (port == 0) continue;
        for (auto const& host : settings.listen) {
            PGTANDEM_TRY(address, io::SocketAddress::tcp(host, port));
            PGTANDEM_CHECK(opening.open(address, target, fmt::format("{}:{}", host, port)));
        }
        if (settings.unix_socket_folder.empty()) continue;
        auto const path = (settings.unix_socket_folder / fmt::format(".s.PGSQL.{}", port)).string();
        PGTANDEM_TRY(address, io::SocketAddress::unix_socket(path));
        PGTANDEM_CHECK(opening.open(address, target, path));
    }
    return opening.take();
}

}  // namespace pgtandem::proxy
