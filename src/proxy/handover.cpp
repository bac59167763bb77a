#include "proxy/handover.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstring>

#include "base/log.hpp"
#include "base/text.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto short_rest = std::chrono::milliseconds(20);
constexpr auto answer_patience = std::chrono::seconds(5);
// The other process makes itself ready between taking the sockets and serving.
constexpr auto start_patience = std::chrono::seconds(60);
constexpr std::size_t most_sockets = 250;  // the kernel passes 253 descriptors at most
constexpr std::size_t longest_packet = 1024;

struct Packet {
    std::string text;
    std::vector<UniqueFd> fds;
};

sockaddr_un abstract_address(std::string const& name, socklen_t& length) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    auto const count = std::min(name.size(), sizeof address.sun_path - 1);
    std::memcpy(address.sun_path + 1, name.data(), count);
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + count);
    return address;
}

// Abstract names are anybody's: only what runs as the same user, or root, is believed.
bool is_trusted(int peer) {
    ucred credentials{};
    socklen_t length = sizeof credentials;
    if (::getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return false;
    return credentials.uid == ::geteuid() || credentials.uid == 0;
}

bool send_packet(int peer, std::string_view text, std::vector<int> const& fds = {}) {
    iovec part{const_cast<char*>(text.data()), text.size()};
    std::vector<char> control(fds.empty() ? 0 : CMSG_SPACE(fds.size() * sizeof(int)));
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        auto* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
        std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
    }
    return ::sendmsg(peer, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(text.size());
}

// Nothing when the peer has gone.
std::optional<Packet> receive_packet(int peer) {
    Packet packet;
    packet.text.resize(longest_packet);
    iovec part{packet.text.data(), packet.text.size()};
    std::vector<char> control(CMSG_SPACE(most_sockets * sizeof(int)));
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto const got = ::recvmsg(peer, &message, MSG_CMSG_CLOEXEC);
    if (got <= 0) return std::nullopt;
    packet.text.resize(static_cast<std::size_t>(got));
    for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        std::vector<int> fds((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        std::memcpy(fds.data(), CMSG_DATA(header), fds.size() * sizeof(int));
        for (int const fd : fds) packet.fds.emplace_back(fd);
    }
    return packet;
}

// Waits for one packet; nothing when none came in time, the peer has gone, or 'also' became readable.
std::optional<Packet> wait_for_packet(int peer, Deadline deadline, int also = -1) {
    pollfd entries[] = {{peer, POLLIN, 0}, {also, POLLIN, 0}};
    while (!deadline.passed()) {
        auto const ready = ::poll(entries, 2, deadline.poll_milliseconds());
        if (ready > 0 && (entries[1].revents & POLLIN) != 0) return std::nullopt;
        if (ready > 0) return receive_packet(peer);
    }
    return std::nullopt;
}

template <typename Number>
std::optional<Number> number_in(std::string_view word) {
    Number number = 0;
    auto const [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    return error == std::errc{} && end == word.data() + word.size() ? std::optional(number) : std::nullopt;
}

std::string hexadecimal(std::string_view bytes) {
    std::string text;
    for (auto const byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return text;
}

}  // namespace

std::string handover_name(EndpointSettings const& settings) {
    return fmt::format("pgtandem/endpoint/{}:{}", settings.listen.empty() ? "" : settings.listen.front(), settings.port);
}

Result<std::optional<Takeover>> Takeover::ask(std::string const& name, Deadline deadline) {
    UniqueFd peer(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!peer) return fail_errno("taking over the endpoint", name);
    socklen_t length = 0;
    auto const address = abstract_address(name, length);
    if (::connect(peer.get(), reinterpret_cast<sockaddr const*>(&address), length) != 0) {
        if (errno == ECONNREFUSED) return std::optional<Takeover>();
        return fail_errno("taking over the endpoint", name);
    }
    if (!is_trusted(peer.get())) return fail("taking over the endpoint", name, "another user runs it", "the same as that user");
    std::optional<Packet> answer;
    if (send_packet(peer.get(), "take")) answer = wait_for_packet(peer.get(), deadline);
    if (!answer) return fail("taking over the endpoint", name, "the running one does not answer", "stop it, then start without --takeover");
    if (!answer->text.starts_with("sockets ")) {
        return fail("taking over the endpoint", name, answer->text.substr(answer->text.find(' ') + 1));
    }
    Takeover takeover(std::move(peer));
    for (std::size_t index = 0; index < answer->fds.size(); ++index) {
        bool const is_for_reads = answer->text.size() > 8 + index && answer->text[8 + index] == 'r';
        takeover.sockets_.push_back({std::move(answer->fds[index]), is_for_reads ? Target::replicas : Target::primary});
    }
    return std::optional(std::move(takeover));
}

Status Takeover::serving(Deadline deadline) {
    std::optional<Packet> answer;
    if (send_packet(cancels_->peer(), "serving")) answer = wait_for_packet(cancels_->peer(), deadline);
    if (!answer) return fail("taking over the endpoint", "", "the former one does not let go of it", "stop it");
    cancels_->begin();
    return {};
}

void Takeover::cancel(std::uint32_t process_id, std::string const& key, std::function<void()> delivered) const {
    cancels_->send(fmt::format("cancel {} {}", process_id, hexadecimal(key)), std::move(delivered));
}

void Takeover::Cancels::begin() {
    std::lock_guard const guard(mutex_);
    has_begun_ = is_there_ = true;
    for (auto const& [number, pending] : pending_) pass(number, pending.request);
    thread_ = std::thread([this] { run(); });
}

bool Takeover::Cancels::pass(std::uint64_t number, std::string const& request) const {
    return is_there_ && send_packet(peer_.get(), fmt::format("{} {}", request, number));
}

void Takeover::Cancels::send(std::string request, std::function<void()> delivered) {
    {
        std::lock_guard const guard(mutex_);
        auto const number = ++last_;
        if (!has_begun_ || pass(number, request)) {
            pending_[number] = {std::move(request), std::move(delivered)};
            return;
        }
    }
    delivered();
}

void Takeover::Cancels::run() {
    while (auto const packet = wait_for_packet(peer_.get(), Deadline::never(), stop_.fd())) {
        auto const words = split(packet->text, ' ');
        if (words.size() != 2 || words[0] != "cancelled") continue;
        if (auto const done = take(number_in<std::uint64_t>(words[1]).value_or(0))) done();
    }
    std::map<std::uint64_t, Pending> left;
    {
        std::lock_guard const guard(mutex_);
        is_there_ = false;
        left.swap(pending_);
    }
    for (auto const& [number, pending] : left) pending.delivered();
}

// Null where it has been called.
std::function<void()> Takeover::Cancels::take(std::uint64_t number) {
    std::lock_guard const guard(mutex_);
    auto const found = pending_.extract(number);
    return found.empty() ? nullptr : std::move(found.mapped().delivered);
}

void Takeover::Cancels::end() {
    stop_.request();
    if (thread_.joinable()) thread_.join();
}

Result<std::unique_ptr<Handover>> Handover::offer(std::string const& name, Owner owner) {
    UniqueFd listening(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!listening) return fail_errno("offering the endpoint", name);
    socklen_t length = 0;
    auto const address = abstract_address(name, length);
    if (::bind(listening.get(), reinterpret_cast<sockaddr const*>(&address), length) != 0 || ::listen(listening.get(), 4) != 0) {
        return fail_errno("offering the endpoint", name);
    }
    return std::unique_ptr<Handover>(new Handover(std::move(listening), std::move(owner)));
}

Handover::Handover(UniqueFd listening, Owner owner)
    : listening_(std::move(listening)), owner_(std::move(owner)), thread_([this] { run(); }) {}

Handover::~Handover() {
    stop_.request();
    thread_.join();
}

void Handover::run() {
    for (;;) {
        pollfd entries[] = {{listening_.get(), POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
        if (::poll(entries, 2, -1) <= 0) continue;
        if (entries[1].revents != 0) return;
        auto const accepted = std::make_shared<UniqueFd const>(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        auto const& peer = *accepted;
        // Where no descriptor is left for it, the one who asks still waits.
        if (!peer) stop_.wait_for(short_rest);
        if (!peer || !is_trusted(peer.get()) || !give_to(peer.get())) continue;
        pass_cancels(accepted);
        return;
    }
}

std::optional<std::string> Handover::receive(int peer, Deadline deadline) const {
    auto packet = wait_for_packet(peer, deadline, stop_.fd());
    if (!packet) return std::nullopt;
    return std::move(packet->text);
}

bool Handover::give_to(int peer) {
    if (receive(peer, Deadline::in(answer_patience)) != "take") return false;
    if (auto const way = owner_.make_way(); !way) {
        send_packet(peer, "refused " + way.error().line());
        return false;
    }
    std::string text = "sockets ";
    std::vector<int> fds;
    for (auto const& socket : owner_.sockets()) {
        if (fds.size() == most_sockets) break;
        text += socket.target == Target::primary ? 'p' : 'r';
        fds.push_back(socket.fd.get());
    }
    bool const is_served = send_packet(peer, text, fds) && receive(peer, Deadline::in(start_patience)) == "serving";
    if (!is_served) {
        log::warn("endpoint: the process that asked for the sockets did not come to serve; this one goes on");
        owner_.take_back();
        return false;
    }
    owner_.given();
    listening_.reset();  // the name is the other's
    send_packet(peer, "yours");
    return true;
}

// The answer comes from whichever thread has sent the request.
void Handover::pass_cancels(std::shared_ptr<UniqueFd const> const& peer) const {
    while (auto const text = receive(peer->get(), Deadline::never())) {
        auto const words = split(*text, ' ');
        if (words.size() != 4 || words[0] != "cancel") continue;
        auto const process_id = number_in<std::uint32_t>(words[1]);
        auto const delivered = [peer, answer = fmt::format("cancelled {}", words[3])] { send_packet(peer->get(), answer); };
        if (process_id) owner_.cancel(*process_id, from_hex(words[2]), delivered);
        else delivered();
    }
}

}  // namespace pgtandem::proxy
