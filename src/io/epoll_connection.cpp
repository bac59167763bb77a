#include "io/epoll_connection.hpp"

namespace pgtandem::io {

void EpollConnection::on_ready(std::uint32_t events) {
    if (!is_alive()) return;
    auto const hung_up = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (hung_up) is_hung_up = true;
    if (hung_up || (events & EPOLLIN) != 0) is_readable = true;
    if (is_blocked && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) loop_.became_writable(*this);
    if (is_readable) loop_.read(*this);
}

}  // namespace pgtandem::io
