#include "proxy/peer_names.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>
#include <optional>
#include <utility>

namespace pgtandem::proxy {

namespace {

constexpr std::size_t threads_max = 4;
constexpr int resolver_timeout_s = 2;
constexpr int resolver_attempts = 2;

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

// 0, or an EAI code.
std::pair<int, Addresses> addresses_of(std::string const& name, int flags) {
    addrinfo hints{};
    hints.ai_flags = flags;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    auto const code = ::getaddrinfo(name.c_str(), nullptr, &hints, &list);
    return {code, Addresses(code == 0 ? list : nullptr)};
}

// Of those codes that are an answer.
Match unless_unknown(int code) { return code == EAI_NONAME || code == EAI_NODATA ? Match::no : Match::unknown; }

bool is_same_address(sockaddr const& one, sockaddr const& other) {
    if (one.sa_family != other.sa_family) return false;
    if (one.sa_family == AF_INET) {
        return std::memcmp(&reinterpret_cast<sockaddr_in const&>(one).sin_addr, &reinterpret_cast<sockaddr_in const&>(other).sin_addr, 4) == 0;
    }
    return one.sa_family == AF_INET6 && std::memcmp(&reinterpret_cast<sockaddr_in6 const&>(one).sin6_addr,
                                                    &reinterpret_cast<sockaddr_in6 const&>(other).sin6_addr, 16) == 0;
}

Match leads_back(std::string const& name, sockaddr const& peer) {
    auto const [code, found] = addresses_of(name, 0);
    if (code != 0) return unless_unknown(code);
    for (auto const* one = found.get(); one != nullptr; one = one->ai_next) {
        if (is_same_address(*one->ai_addr, peer)) return Match::yes;
    }
    return Match::no;
}

}  // namespace

PeerName look_up_peer(std::string const& address) {
    // Of this thread only. A look-up cannot be given up, and the endpoint has to end some time.
    ::res_init();
    _res.retrans = resolver_timeout_s;
    _res.retry = resolver_attempts;
    auto const [code, peer] = addresses_of(address, AI_NUMERICHOST);
    if (code != 0) return {};
    char name[NI_MAXHOST];
    auto const named = ::getnameinfo(peer->ai_addr, peer->ai_addrlen, name, sizeof name, nullptr, 0, NI_NAMEREQD);
    if (named != 0) return {unless_unknown(named)};
    return {Match::yes, name, leads_back(name, *peer->ai_addr)};
}

PeerNames::PeerNames(LookUp look_up) : look_up_(std::move(look_up)) {}

PeerNames::~PeerNames() {
    {
        std::lock_guard const guard(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
    for (auto const& [address, answers] : waiting_) {
        for (auto const& [id, answer] : answers) answer({});
    }
}

void PeerNames::ask(std::uint64_t id, std::string const& address, Answer answer) {
    std::lock_guard const guard(mutex_);
    auto& answers = waiting_[address];
    if (answers.empty()) order_.push_back(address);
    answers.emplace(id, std::move(answer));
    addresses_[id] = address;
    if (idle_ < order_.size() && threads_.size() < threads_max) threads_.emplace_back([this] { run(); });
    changed_.notify_one();
}

void PeerNames::forget(std::uint64_t id) {
    std::lock_guard const guard(mutex_);
    auto const found = addresses_.find(id);
    if (found == addresses_.end()) return;
    auto const answers = waiting_.find(found->second);
    answers->second.erase(id);
    if (answers->second.empty()) {
        std::erase(order_, answers->first);
        waiting_.erase(answers);
    }
    addresses_.erase(found);
}

void PeerNames::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        changed_.wait(lock, [this] { return stopping_ || !order_.empty(); });
        --idle_;
        if (stopping_) return;
        auto const address = order_.front();
        order_.pop_front();
        // Who asks from now on waits for a look-up that begins then.
        auto node = waiting_.extract(address);
        for (auto const& [id, answer] : node.mapped()) addresses_.erase(id);
        lock.unlock();
        auto const name = look_up_(address);
        for (auto const& [id, answer] : node.mapped()) answer(name);
        lock.lock();
    }
}

}  // namespace pgtandem::proxy
