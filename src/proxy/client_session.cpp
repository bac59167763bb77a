#include "proxy/client_session.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/log.hpp"
#include "proxy/worker.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto farewell_patience = std::chrono::seconds(5);
constexpr auto farewell_look_interval = std::chrono::milliseconds(10);

PeerAddress peer_of(int fd) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
    char text[INET6_ADDRSTRLEN] = "";
    if (storage.ss_family == AF_INET) {
        auto const& address = reinterpret_cast<sockaddr_in const&>(storage);
        ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
        return {text, ntohs(address.sin_port)};
    }
    if (storage.ss_family == AF_INET6) {
        auto const& address = reinterpret_cast<sockaddr_in6 const&>(storage);
        // Of an IPv4 client at a socket for both: to the server it would come from its own address.
        bool const is_mapped = IN6_IS_ADDR_V4MAPPED(&address.sin6_addr);
        if (is_mapped) ::inet_ntop(AF_INET, &address.sin6_addr.s6_addr[12], text, sizeof text);
        else ::inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text);
        return {text, ntohs(address.sin6_port)};
    }
    return {};
}

}  // namespace

void notify_session(Backend& backend) { backend.session->backend_has_news(); }

ClientSession::ClientSession(Worker& worker, UniqueFd connected, Target target, std::uint64_t id)
    : worker_(worker),
      id_(id),
      target_(target),
      settings_(worker.settings_ref()),
      timer_(worker.loop().make_timer([this] { time_is_over(); })),
      peer_(peer_of(connected.get())),
      connected_at_(std::chrono::system_clock::now()) {
    stream_ = worker.loop().adopt(std::move(connected), *this);
}

ClientSession::~ClientSession() {
    worker_.forget_question(*this);
    stop_awaiting();
    end_lease();
}

void ClientSession::start() {
    if (settings_->login_timeout.count() > 0) timer_->start(settings_->login_timeout);
    conversation_ = converse();
    conversation_.start();
}

void ClientSession::on_event(io::Stream&) { event_.signal(); }

io::Task<> ClientSession::converse() {
    try {
        // One at a time: g++ 12 ends a task too early where several stand in one condition.
        bool goes_on = co_await start_up();
        if (goes_on) goes_on = co_await authenticate();
        bool const is_console = database_ == console_database;
        if (goes_on && is_console) co_await serve_console();
        if (goes_on && !is_console) goes_on = co_await join_pool();
        if (goes_on && !is_console) co_await serve();
    } catch (std::exception const& fault) {
        // A fault of ours ends this session and no other.
        log::warn("client {}: {}", id_, fault.what());
        say_goodbye(make_error("FATAL", "XX000", "internal error of the endpoint"));
    }
    leave_backend();
    is_serving_ = false;
    timer_->stop();
    // The last words go out first, for as long as the client takes them.
    auto const farewell_ends = worker_.loop().now() + farewell_patience;
    while (!makes_way_ && stream_->unsent() > 0 && stream_->health() == io::Health::open && worker_.loop().now() < farewell_ends) {
        stream_->flush();
        // Nobody tells that everything has been sent.
        timer_->start(farewell_look_interval);
        co_await event_.wait();
    }
    timer_->stop();
    worker_.bury(*this);
}

bool ClientSession::fatal(char const* sqlstate, std::string message, std::string detail) {
    return say_goodbye(make_error("FATAL", sqlstate, std::move(message), std::move(detail)));
}

// wire/scram's errors hold PostgreSQL's own words.
bool ClientSession::fatal(Error const& error) { return fatal(error.sqlstate.c_str(), error.what, error.why); }

bool ClientSession::say_goodbye(wire::ErrorFields const& why) {
    if (!stream_ || stream_->health() != io::Health::open) return false;
    wire::write_error_response(stream_->output(), why);
    stream_->flush();
    return false;
}

void ClientSession::end(wire::ErrorFields why) {
    end_reason_ = std::move(why);
    event_.signal();
}

void ClientSession::make_way(wire::ErrorFields why) {
    makes_way_ = true;
    end(std::move(why));
}

void ClientSession::abandon() {
    if (backend() != nullptr) backend()->session = nullptr;
}

ClientInfo ClientSession::info() const {
    ClientInfo info;
    info.id = id_;
    info.user = user_;
    info.database = database_;
    info.application_name = application_name_;
    info.address = peer_.host.empty() ? "unix" : peer_.host;
    info.port = peer_.port;
    info.connected_at = connected_at_;
    info.told_pid = told_process_id_;
    info.tls = stream_->tls_description();
    info.is_replication = !replication_.empty();
    info.state = !is_serving_ ? "login" : is_waiting_ ? "waiting" : backend() != nullptr ? "active" : "idle";
    if (is_waiting_) {
        info.waits = std::chrono::duration_cast<std::chrono::microseconds>(worker_.loop().now() - waiting_since_);
    }
    info.pins = state_.hard_pins().names();
    info.pinned_by = state_.pinned_by();
    info.input_bytes = stream_->input().size();
    info.output_bytes = stream_->unsent();
    info.prepared_statements = state_.statement_count();
    if (auto const* const attached = backend()) {
        info.server = attached->server().name;
        info.backend_pid = attached->process_id();
    }
    return info;
}

}  // namespace pgtandem::proxy
