// A client's first packets: TLS or not, a cancel request, or the startup message.
#include <algorithm>
#include <optional>

#include "base/text.hpp"
#include "proxy/client_session.hpp"
#include "proxy/worker.hpp"
#include "wire/framing.hpp"

namespace pgtandem::proxy {

namespace {

constexpr char tls_client_hello = 0x16;

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter; }

bool is_less_in_lower_case(std::string const& one, std::string const& other) {
    return std::ranges::lexicographical_compare(one, other, {}, lower, lower);
}

// As PostgreSQL's parse_bool: any beginning of a word counts, of "on" and "off" what tells them apart.
std::optional<bool> to_bool(std::string_view text) {
    auto const begins = [&](std::string_view word, std::size_t at_least = 1) {
        return text.size() >= at_least && text.size() <= word.size() && std::ranges::equal(text, word.substr(0, text.size()), {}, lower);
    };
    if (begins("true") || begins("yes") || begins("on", 2) || begins("1")) return true;
    if (begins("false") || begins("no") || begins("off", 2) || begins("0")) return false;
    return std::nullopt;
}

}  // namespace

io::Task<bool> ClientSession::start_up() {
    for (;;) {
        if (stream_->health() == io::Health::broken || login_timed_out_) co_return false;
        if (end_reason_) co_return say_goodbye(*end_reason_);
        if (stream_->health() == io::Health::handshaking) {
            co_await event_.wait();
            continue;
        }
        if (start_direct_tls()) continue;
        std::size_t consumed = 0;
        auto const packet = wire::parse_first_packet(stream_->input(), consumed);
        if (std::holds_alternative<wire::Incomplete>(packet)) {
            if (stream_->at_end()) co_return false;
            co_await event_.wait();
            continue;
        }
        if (auto const* const malformed = std::get_if<wire::Malformed>(&packet)) {
            // Of the worst PostgreSQL closes without an answer.
            if (malformed->sqlstate.empty()) co_return false;
            co_return fatal(malformed->sqlstate.c_str(), malformed->why);
        }
        if (auto const* const cancel = std::get_if<wire::CancelRequest>(&packet)) {
            // The client may take the end of this connection for the word that the server has been told.
            bool is_delivered = false;
            worker_.cancel(cancel->process_id, std::string(cancel->key), *this, [&is_delivered] { is_delivered = true; });
            while (!is_delivered && !login_timed_out_ && !end_reason_ && stream_->health() == io::Health::open) co_await event_.wait();
            co_return false;
        }
        auto const* const message = std::get_if<wire::StartupMessage>(&packet);
        bool const is_tls_request = std::holds_alternative<wire::SslRequest>(packet);
        stream_->consume(consumed);
        if (message != nullptr) co_return take_startup(*message);
        bool const taken = is_tls_request ? take_tls_request() : !std::exchange(asked_for_gss_, true);
        if (!taken) co_return fatal("08P01", "unsupported frontend protocol: a request for encryption was repeated");
        if (!is_tls_request) {
            stream_->output().append('N');
            stream_->flush();
        }
        // What came before encryption is anybody's word; where there is none, the client has not waited to know that.
        bool const has_more = stream_->health() == io::Health::open && !stream_->input().empty();
        if (has_more) {
            co_return fatal("08P01", is_tls_request ? "received unencrypted data after SSL request"
                                                    : "received unencrypted data after GSSAPI encryption request",
                            "This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.");
        }
    }
}

// Once at most, and nothing may lie behind it: what came before TLS is anybody's word.
bool ClientSession::take_tls_request() {
    if (std::exchange(asked_for_tls_, true) || stream_->is_tls()) return false;
    auto const& context = worker_.tls();
    if (!context) {
        stream_->output().append('N');
        stream_->flush();
        return true;
    }
    stream_->output().append('S');
    stream_->flush();
    stream_->start_tls_server(*context, io::TlsStart::after_request);
    return true;
}

// TLS without asking first (PostgreSQL 17): the first byte is a ClientHello's.
bool ClientSession::start_direct_tls() {
    auto const input = stream_->input();
    if (input.empty() || input.front() != tls_client_hello || stream_->is_tls() || asked_for_tls_ || asked_for_gss_) return false;
    auto const& context = worker_.tls();
    if (!context) return false;
    asked_for_tls_ = true;
    stream_->start_tls_server(*context, io::TlsStart::direct);
    return true;
}

bool ClientSession::take_startup(wire::StartupMessage const& message) {
    if (message.major != wire::protocol_major) return fatal("0A000", wire::unsupported_protocol_text(message.major, message.minor));
    if (settings_->tls == TlsMode::require && !stream_->is_tls() && !peer_.host.empty()) {
        return fatal("28000", "this endpoint takes connections with SSL encryption only");
    }
    if (!take_parameters(message)) return false;
    // Who is to see what is wrong gets in.
    if (is_refused_ && database_ != console_database) return fatal("53300", "sorry, too many clients already");
    negotiate(message);
    if (std::ranges::find(settings_->refused_users, user_) != settings_->refused_users.end()) {
        return fatal("28000", "role \"" + user_ + "\" is not permitted to log in");
    }
    return true;
}

bool ClientSession::take_parameters(wire::StartupMessage const& message) {
    bool is_replication = false;
    bool names_database = false;  // "database" was given, if not last
    for (auto const& [name, value] : message.parameters) {
        if (name == "user") {
            user_ = value;
        } else if (name == "database") {
            database_ = value;
        } else if (name == "application_name") {
            application_name_ = value;
        } else if (name == "replication") {
            if (value == "database") {
                is_replication = names_database = true;
                continue;
            }
            auto const given = to_bool(value);
            if (!given) {
                return say_goodbye(make_error("FATAL", "22023", "invalid value for parameter \"replication\": \"" + value + "\"", "",
                                              "Valid values are: \"false\", 0, \"true\", 1, \"database\"."));
            }
            is_replication = *given;
        } else if (!name.starts_with("_pq_.")) {
            parameters_.emplace_back(name, value);
        }
    }
    if (is_replication) replication_ = names_database ? "database" : "true";
    if (user_.empty()) return fatal("28000", std::string(wire::no_user_name));
    if (database_.empty()) database_ = user_;
    // The server looks for what is left of a name that is too long.
    for (auto* const name : {&user_, &database_}) name->resize(std::min(name->size(), name_length_max));
    // The server takes them in their order: of one that is given twice the last counts, and of "options" nothing else is read.
    auto const last_options = message.parameter("options");
    std::erase_if(parameters_, [&](auto const& one) { return one.first == "options"; });
    if (!last_options.empty()) parameters_.emplace_back("options", last_options);
    std::ranges::stable_sort(parameters_, is_less_in_lower_case, &std::pair<std::string, std::string>::first);
    return take_own_parameters();
}

void ClientSession::negotiate(wire::StartupMessage const& message) {
    std::vector<std::string> unknown;
    for (auto const& [name, value] : message.parameters) {
        if (name.starts_with("_pq_.")) unknown.push_back(name);
    }
    minor_version_ = std::min(message.minor, wire::protocol_minor_newest);
    if (minor_version_ == 1) minor_version_ = 0;
    if (message.minor == minor_version_ && unknown.empty()) return;
    wire::write_negotiate_protocol_version(stream_->output(), minor_version_, unknown);
}

}  // namespace pgtandem::proxy
