#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

#include "io/loop.hpp"

namespace pgtandem::io {

Result<SocketAddress> SocketAddress::tcp(std::string const& numeric_host, std::uint16_t port) {
    SocketAddress address;
    sockaddr_in four{};
    sockaddr_in6 six{};
    if (inet_pton(AF_INET, numeric_host.c_str(), &four.sin_addr) == 1) {
        four.sin_family = AF_INET;
        four.sin_port = htons(port);
        address.length = sizeof four;
        std::memcpy(&address.storage, &four, sizeof four);
    } else if (inet_pton(AF_INET6, numeric_host.c_str(), &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(port);
        address.length = sizeof six;
        std::memcpy(&address.storage, &six, sizeof six);
    } else {
        return fail("reading an address", numeric_host, "it is neither an IPv4 nor an IPv6 address");
    }
    return address;
}

Result<SocketAddress> SocketAddress::unix_socket(std::string const& path) {
    sockaddr_un local{};
    if (path.empty() || path.size() >= sizeof local.sun_path)
        return fail("reading a socket's path", path, "it must have 1 to 107 bytes");
    local.sun_family = AF_UNIX;
    std::memcpy(local.sun_path, path.data(), path.size());
    SocketAddress address;
    address.length = sizeof local;
    std::memcpy(&address.storage, &local, sizeof local);
    return address;
}

}  // namespace pgtandem::io
