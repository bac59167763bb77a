#include "proxy/cancel_sender.hpp"

#include <utility>

#include "proxy/backend.hpp"
#include "wire/startup.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto patience = std::chrono::seconds(10);

}  // namespace

CancelSender::CancelSender(io::Loop& loop, ServerEntry const& server, std::uint32_t process_id, std::string key,
                           std::function<void()> done)
    : server_(server),
      process_id_(process_id),
      key_(std::move(key)),
      done_(std::move(done)),
      deadline_(loop.make_timer([this] { finish(); })) {
    deadline_->start(patience);
    if (auto const address = address_of(server_)) stream_ = loop.connect(*address, *this);
    else loop.defer([this] { finish(); });
}

void CancelSender::on_event(io::Stream& stream) {
    if (stream.health() == io::Health::connecting || stream.health() == io::Health::handshaking) return;
    if (stream.health() == io::Health::broken || stream.at_end()) return finish();
    if (server_.tls && !std::exchange(asked_for_tls_, true)) {
        wire::write_ssl_request(stream.output());
        stream.flush();
        return;
    }
    if (server_.tls && !stream.is_tls()) {
        if (stream.input().empty()) return;
        if (stream.input().front() != 'S') return finish();
        stream.consume(1);
        stream.start_tls_client(*server_.tls, server_.tls_name);
        return;
    }
    if (std::exchange(has_sent_, true)) return;
    wire::write_cancel_request(stream.output(), process_id_, key_);
    stream.flush();
}

void CancelSender::finish() {
    deadline_->stop();
    if (auto const done = std::exchange(done_, nullptr)) done();
}

}  // namespace pgtandem::proxy
