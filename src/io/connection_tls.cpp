// The part of a connection that is about TLS.
#include <utility>

#include "io/connection.hpp"
#include "io/loop_core.hpp"

namespace pgtandem::io {

void Connection::start_tls_server(TlsContext const& context, TlsStart how) {
    if (how == TlsStart::after_request && !input().empty())
        return break_in_next_turn("received unencrypted data after SSL request");
    start_tls(std::make_unique<TlsSession>(context, TlsRole::server, "", how == TlsStart::direct));
}

void Connection::start_tls_client(TlsContext const& context, std::string const& host) {
    if (!input().empty()) return break_in_next_turn("received unencrypted data after SSL response");
    start_tls(std::make_unique<TlsSession>(context, TlsRole::client, host, false));
}

// What lies in the input already is the handshake's beginning. It cannot be all of it, so there is no plain text yet.
void Connection::start_tls(std::unique_ptr<TlsSession> tls) {
    if (health_ != Health::open) return;
    tls_ = std::move(tls);
    health_ = Health::handshaking;
    sending_.append(output_.view());
    loop_.recycle(output_);
    flushed_ = false;
    std::string const beginning(input());
    window_ = {};
    pending_.clear();
    pending_.release();
    ByteBuffer no_plain;
    auto const state = tls_->receive(beginning, no_plain, sending_);
    if (!sending_.empty()) loop_.send_at_end_of_turn(*this);
    if (state == TlsState::failed) {
        send_last_words();
        break_in_next_turn(tls_->error());
    }
    reconsider_reading();
}

void Connection::decrypt(std::string_view bytes) {
    auto& plain = loop_.plain_text();
    plain.clear();
    auto const state = tls_->receive(bytes, plain, sending_);
    if (!sending_.empty()) loop_.send_at_end_of_turn(*this);
    auto const has_opened = health_ == Health::handshaking && (state == TlsState::open || state == TlsState::ended);
    if (has_opened) health_ = Health::open;
    if (flushed_) loop_.send_at_end_of_turn(*this);
    if (!plain.empty())
        show(plain.view());
    else if (has_opened)
        tell_owner();
    if (!is_alive() || health_ == Health::broken) return;
    if (state == TlsState::ended) return ended();
    if (state != TlsState::failed) return;
    send_last_words();
    broke(tls_->error());
}

void Connection::encrypt_output() {
    tls_->send(output_.view(), sending_);
    loop_.recycle(output_);
}

}  // namespace pgtandem::io
