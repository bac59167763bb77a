#include "proxy/backend.hpp"

#include <algorithm>

#include "base/random.hpp"
#include "wire/authentication.hpp"
#include "wire/backend.hpp"
#include "wire/framing.hpp"
#include "wire/query.hpp"
#include "wire/startup.hpp"

namespace pgtandem::proxy {

namespace {

// A server that has not let us in yet may send messages of this size at most.
constexpr std::uint32_t login_body_max = 64 << 10;

constexpr std::size_t nonce_length = 24;
// For what the endpoint itself asks a backend that serves no session.
constexpr auto patience_between_sessions = std::chrono::seconds(10);
constexpr std::size_t most_notices = 20;  // of a login

}  // namespace

Result<io::SocketAddress> address_of(ServerEntry const& server) {
    if (!server.host.starts_with('/')) return io::SocketAddress::tcp(server.host, server.port);
    return io::SocketAddress::unix_socket(server.host + "/.s.PGSQL." + std::to_string(server.port));
}

wire::ErrorFields make_error(char const* severity, char const* sqlstate, std::string message, std::string detail,
                             std::string hint) {
    wire::ErrorFields fields;
    fields.severity = severity;
    fields.severity_nonlocal = severity;
    fields.sqlstate = sqlstate;
    fields.message = std::move(message);
    fields.detail = std::move(detail);
    fields.hint = std::move(hint);
    return fields;
}

Backend::Backend(io::Loop& loop, BackendKeeper& keeper, std::uint64_t number, ServerEntry server,
                 std::shared_ptr<ServerLogin const> login, std::chrono::milliseconds connect_timeout)
    : id(number),
      made_at(loop.now()),
      used_at(loop.now()),
      loop_(loop),
      keeper_(keeper),
      server_(std::move(server)),
      login_(std::move(login)),
      deadline_(loop.make_timer([this] { time_is_over(); })) {
    if (connect_timeout.count() > 0) deadline_->start(connect_timeout);
    conversation_ = log_in();
    // Not before the maker has taken us into its books.
    loop_.defer([this, alive = std::weak_ptr<char>(alive_)] {
        if (!alive.expired()) conversation_.start();
    });
}

void Backend::time_is_over() {
    has_timed_out_ = true;
    if (!is_logged_in_) return event_.signal();
    keeper_.lost(*this, make_error("FATAL", "08006", "server " + server_.name + " did not answer what the endpoint asked between two sessions"));
}

void Backend::on_event(io::Stream&) {
    if (!is_logged_in_) {
        event_.signal();
    } else if (session != nullptr) {
        notify_session(*this);
    } else {
        look_while_idle();
    }
}

io::Task<> Backend::log_in() {
    bool goes_on = co_await reach();
    if (goes_on) goes_on = co_await converse();
    if (goes_on) {
        deadline_->stop();
        is_logged_in_ = true;
        keeper_.logged_in(*this);
        co_return;
    }
    deadline_->stop();
    keeper_.lost(*this, failure_.value_or(make_error("FATAL", "08006", "the connection to the server was lost")));
}

io::Task<bool> Backend::reach() {
    auto const address = address_of(server_);
    if (!address) co_return fail(make_error("FATAL", "08001", address.error().line()));
    stream_ = loop_.connect(*address, *this);
    while (stream_->health() == io::Health::connecting && !has_timed_out_) co_await event_.wait();
    if (stream_->health() != io::Health::open) co_return fail_connection();
    bool is_safe = true;
    if (server_.tls) is_safe = co_await ask_for_tls();
    co_return is_safe;
}

io::Task<bool> Backend::ask_for_tls() {
    wire::write_ssl_request(stream_->output());
    stream_->flush();
    while (stream_->input().empty() && is_open() && !has_timed_out_) co_await event_.wait();
    if (stream_->input().empty()) co_return fail_connection();
    // What a server says before TLS is anybody's word: only its yes counts.
    if (stream_->input().front() != 'S') {
        co_return fail(make_error("FATAL", "08001", "server " + server_.name + " does not support SSL, but SSL was required"));
    }
    stream_->consume(1);
    stream_->start_tls_client(*server_.tls, server_.tls_name);
    while (stream_->health() == io::Health::handshaking && !has_timed_out_) co_await event_.wait();
    if (stream_->health() != io::Health::open) co_return fail_connection();
    co_return true;
}

io::Task<bool> Backend::converse() {
    wire::write_startup_message(stream_->output(), {3, 0, login_->parameters});
    stream_->flush();
    for (;;) {
        auto const header = wire::read_header(stream_->input());
        if (header && header->body > login_body_max) {
            co_return fail(make_error("FATAL", "08P01", "server " + server_.name + " sent a message that is too long"));
        }
        if (header && stream_->input().size() >= header->total()) {
            auto const body = stream_->input().substr(wire::header_size, header->body);
            bool const is_last = header->type == 'Z';
            bool const taken = take_message(header->type, body);
            stream_->consume(header->total());
            if (!taken) co_return false;
            if (is_last) break;
            continue;
        }
        if (!is_open() || has_timed_out_) co_return fail_connection();
        co_await event_.wait();
    }
    reported = keeper_.reported_registry().intern(std::move(startup_reported_));
    startup_reported_ = {};
    co_return true;
}

bool Backend::take_message(char type, std::string_view body) {
    switch (type) {
        case 'R': return answer_authentication(body);
        case 'S': {
            auto const status = wire::ParameterStatus::parse(body);
            if (status) set_value(startup_reported_, status->name, status->value);
            return status || fail(make_error("FATAL", "08P01", "malformed ParameterStatus from server " + server_.name));
        }
        case 'K': {
            auto const key = wire::BackendKeyData::parse(body);
            if (!key) return fail(make_error("FATAL", "08P01", "malformed BackendKeyData from server " + server_.name));
            process_id_ = key->process_id;
            cancel_key_ = key->key;
            return true;
        }
        case 'E': return fail(wire::ErrorFields::parse(body));
        case 'N':
            if (first_notices.size() < most_notices) first_notices.push_back(wire::ErrorFields::parse(body));
            return true;
        case 'v':
        case 'Z': return true;
        default:
            return fail(make_error("FATAL", "08P01", "server " + server_.name + " sent a message that has no place in a login"));
    }
}

bool Backend::answer_authentication(std::string_view body) {
    auto const request = wire::parse_authentication(body);
    if (!request) return fail(make_error("FATAL", "08P01", "malformed authentication request from server " + server_.name));
    if (std::holds_alternative<wire::AuthenticationOk>(*request)) return true;
    if (std::holds_alternative<wire::AuthenticationCleartextPassword>(*request) && !login_->password.empty()) {
        send_password(login_->password);
        return true;
    }
    if (auto const* const md5 = std::get_if<wire::AuthenticationMd5Password>(&*request); md5 != nullptr && !login_->md5.empty()) {
        send_password(wire::md5_response(login_->md5, md5->salt));
        return true;
    }
    if (auto const* const sasl = std::get_if<wire::AuthenticationSasl>(&*request)) return begin_scram(*sasl);
    if (auto const* const next = std::get_if<wire::AuthenticationSaslContinue>(&*request)) return continue_scram(next->data);
    if (auto const* const last = std::get_if<wire::AuthenticationSaslFinal>(&*request)) {
        return (scram_ && scram_->verify(last->data)) || refuse_login("it does not know the password itself");
    }
    return refuse_login("it asks for a way to log in that the client's own login does not serve");
}

bool Backend::refuse_login(char const* why) {
    return fail(make_error("FATAL", "28000", "logging in to server " + server_.name + ": " + why));
}

bool Backend::begin_scram(wire::AuthenticationSasl const& sasl) {
    auto const offers = [&](std::string_view wanted) { return std::ranges::find(sasl.mechanisms, wanted) != sasl.mechanisms.end(); };
    bool const is_plus = stream_->is_tls() && offers(wire::scram_sha_256_plus);
    if (!is_plus && !offers(wire::scram_sha_256)) return refuse_login("it offers no SCRAM-SHA-256");
    if (!login_->scram && login_->password.empty()) return refuse_login("the client gave nothing that a SCRAM login can be made of");
    wire::ScramClient::Secret secret = wire::ScramClient::Password{login_->password};
    if (login_->scram) secret = *login_->scram;
    auto const binding = stream_->is_tls() ? stream_->tls_server_end_point() : std::string();
    scram_.emplace(std::move(secret), binding, is_plus, random_word(nonce_length));
    auto const first = scram_->first();
    wire::SaslInitialResponse{is_plus ? wire::scram_sha_256_plus : wire::scram_sha_256, first}.write(stream_->output());
    stream_->flush();
    return true;
}

bool Backend::continue_scram(std::string_view data) {
    if (!scram_) return refuse_login("its SASL messages are out of order");
    auto const answer = scram_->final(data);
    if (!answer) return refuse_login("its SCRAM message is not in order");
    wire::SaslResponse{*answer}.write(stream_->output());
    stream_->flush();
    return true;
}

void Backend::send_password(std::string const& password) {
    wire::PasswordMessage{password}.write(stream_->output());
    stream_->flush();
}

bool Backend::fail(wire::ErrorFields why) {
    failure_ = std::move(why);
    return false;
}

bool Backend::fail_connection() {
    auto const where = server_.name + " (" + server_.host + ":" + std::to_string(server_.port) + ")";
    if (has_timed_out_) return fail(make_error("FATAL", "08001", "connecting to server " + where + ": timed out"));
    auto const& why = stream_->why_broken();
    return fail(make_error("FATAL", "08001", "connecting to server " + where + ": " +
                                                 (why.empty() ? "it closed the connection" : why)));
}

// Between two uses: a change of a setting is noted, what it was asked to do is awaited, everything else means that it has ended.
void Backend::look_while_idle() {
    bool is_known = true;
    while (is_known) {
        auto const header = wire::read_header(stream_->input());
        if (!header || (header->body <= login_body_max && stream_->input().size() < header->total())) break;
        is_known = header->body <= login_body_max &&
                   take_idle_message(header->type, stream_->input().substr(wire::header_size, header->body));
        if (!is_known) break;
        stream_->consume(header->total());
        if (header->type == 'Z' && does_ == Does::nothing) return keeper_.settled(*this);
    }
    if (is_open() && is_known && !failure_) return;
    keeper_.lost(*this, failure_.value_or(make_error("FATAL", "08006", "server " + server_.name + " closed the connection")));
}

bool Backend::take_check_message(char type, std::string_view body) {
    if (type == 'E' && wire::ErrorFields::parse(body).severity_nonlocal == "FATAL") failure_ = wire::ErrorFields::parse(body);
    bool const is_known = sharing->take(type, body, stream_->output());
    stream_->flush();
    if (sharing->is_done()) {
        deadline_->stop();
        does_ = Does::nothing;
    }
    return is_known;
}

bool Backend::take_idle_message(char type, std::string_view body) {
    if (does_ == Does::check && std::string_view("SNA").find(type) == std::string_view::npos) return take_check_message(type, body);
    switch (type) {
        case 'S':
            if (auto const status = wire::ParameterStatus::parse(body)) {
                reported = keeper_.reported_registry().with(reported, status->name, status->value);
            }
            return true;
        case 'E':
            failure_ = wire::ErrorFields::parse(body);
            // An administrator may have taken from everybody what it asks with. Of a new session, no other fault is passed over.
            if (does_ == Does::ask_path && (!is_new || failure_->sqlstate == "42501")) failure_.reset();
            return true;
        case 'N': return true;
        case 'T': return does_ == Does::ask_path;
        case 'D':
            if (auto const row = wire::DataRow::parse(body); row && row->values.size() == 3) {
                first_path = row->values[0];
                first_idle_timeout = time_of_statement("SET idle_session_timeout TO " + std::string(row->values[1].value_or("0")));
                identity = row->values[2].value_or("");
            }
            return does_ == Does::ask_path;
        case 'A':
        case 'C': return does_ != Does::nothing;
        case 'Z': deadline_->stop(); return std::exchange(does_, Does::nothing) != Does::nothing && body == "I";
        default: return false;
    }
}

void Backend::reset() {
    does_ = Does::reset;
    deadline_->start(patience_between_sessions);
    wire::Query{"DISCARD ALL"}.write(stream_->output());
    stream_->flush();
    prepared.clear();
    unnamed.reset();
    settings = no_settings();
    drawn_by = 0;
}

void Backend::note_for_check(std::string_view statement) {
    if (!sharing) sharing = std::make_unique<SharingCheck>();
    sharing->note(statement);
}

void Backend::check_sharing() {
    does_ = Does::check;
    deadline_->start(patience_between_sessions);
    BelievedState believed{.user = login_->user, .settings = settings, .custom_settings = custom_settings, .has_unnamed = unnamed != nullptr, .has_drawn = drawn_by != 0};
    if (unnamed == unknown_statement()) believed.has_unnamed.reset();
    for (auto const& entry : prepared.all()) believed.prepared.emplace(entry.server_name, entry.statement->text);
    sharing->begin(std::move(believed), stream_->output());
    stream_->flush();
}

void Backend::ask_first_path() {
    does_ = Does::ask_path;
    deadline_->start(patience_between_sessions);
    first_path.reset();
    wire::Query{first_path_query}.write(stream_->output());
    stream_->flush();
    unnamed.reset();  // a simple query ends it
}

}  // namespace pgtandem::proxy
