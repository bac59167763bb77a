// Proving who the client is, by what the server itself knows of the role.
#include <fmt/format.h>

#include "base/random.hpp"
#include "proxy/client_session.hpp"
#include "proxy/worker.hpp"
#include "wire/authentication.hpp"
#include "wire/scram_crypto.hpp"
#include "wire/framing.hpp"
#include "wire/scram.hpp"

namespace pgtandem::proxy {

namespace {

constexpr std::size_t nonce_length = 24;
constexpr std::uint32_t sasl_body_max = wire::sasl_message_max - 4;
constexpr std::uint32_t password_body_max = wire::auth_message_max - 4;

// The server's words for a SASLInitialResponse that cannot be read.
char const* what_is_wrong_with(std::string_view response) {
    return response.find('\0') == std::string_view::npos ? "invalid string in message" : "insufficient data left in message";
}

bool is_over(std::size_t count, std::int64_t limit) { return limit >= 0 && count > static_cast<std::size_t>(limit); }

bool is_md5(std::string_view password) { return password.size() == 35 && password.starts_with("md5"); }

// Of either kind that pg_authid keeps. An md5 one is "md5" and the hash of password and name, made as a response is.
bool is_password_of(std::string_view rolpassword, std::string const& user, std::string const& password) {
    if (auto const verifier = wire::ScramVerifier::parse(rolpassword)) {
        auto const keys = wire::derive_keys(password, verifier->salt, verifier->iterations);
        return wire::are_equal_secrets(wire::sha256(keys.client_key), verifier->stored_key);
    }
    return wire::are_equal_secrets(rolpassword, wire::md5_response("md5" + password, user));
}

}  // namespace

io::Task<bool> ClientSession::authenticate() {
    bool const is_answered = co_await ask_desk();
    if (!is_answered) co_return false;
    bool proven = false;
    auto const& password = facts_->password;
    switch (facts_->method) {
        case LoginMethod::refused: co_return fatal("28000", facts_->refusal);
        case LoginMethod::trust: proven = true; break;
        case LoginMethod::password: proven = co_await authenticate_password(); break;
        case LoginMethod::scram: proven = co_await authenticate_scram(); break;
        case LoginMethod::scram_or_md5:
            if (password && !facts_->password_has_expired ? is_md5(*password) : facts_->mock.is_md5) {
                proven = co_await authenticate_md5();
            } else {
                proven = co_await authenticate_scram();
            }
            break;
    }
    if (!proven) co_return false;
    wire::write_authentication_ok(stream_->output());
    co_return check_admission();
}

io::Task<bool> ClientSession::ask_desk() {
    LoginQuestion question{user_, database_, !replication_.empty() && replication_ != "database", stream_->is_tls(), peer_.host};
    if (database_ == console_database) question.database = "postgres";
    bool answered = false;
    std::optional<Error> failure;
    worker_.ask_login_desk(question, *this, [&](Result<LoginFacts> facts) {
        answered = true;
        if (facts) facts_ = std::make_unique<LoginFacts>(std::move(*facts));
        else failure = facts.error();
        event_.signal();
    });
    // For a client that has gone nothing is looked up; one that says nothing more cannot prove who it is.
    // One that has only ended its own side is answered, as by the server.
    auto const is_there = [&] { return stream_->health() == io::Health::open; };
    while (!answered && !login_timed_out_ && !end_reason_ && is_there()) co_await event_.wait();
    worker_.forget_question(*this);
    if (failure) co_return fatal("57P03", "cannot ask the server about role \"" + user_ + "\": " + failure->line());
    co_return facts_ != nullptr;
}

// The body of the next PasswordMessage, SASLInitialResponse or SASLResponse: nothing else is allowed here. 'what': "SASL" or
// "password".
io::Task<std::optional<std::string>> ClientSession::read_response(char const* what, std::uint32_t longest) {
    for (;;) {
        auto const header = wire::read_header(stream_->input());
        if (header && header->type != 'p') {
            fatal("08P01", fmt::format("expected {} response, got message type {}", what, static_cast<unsigned char>(header->type)));
            co_return std::nullopt;
        }
        if (header && header->body > longest) {
            password_failed();
            co_return std::nullopt;
        }
        if (header && stream_->input().size() >= header->total()) {
            std::string body(stream_->input().substr(wire::header_size, header->body));
            stream_->consume(header->total());
            co_return body;
        }
        if (stream_->at_end() || stream_->health() != io::Health::open || login_timed_out_ || end_reason_) co_return std::nullopt;
        co_await event_.wait();
    }
}

bool ClientSession::password_failed() {
    return fatal("28P01", "password authentication failed for user \"" + user_ + "\"");
}

io::Task<bool> ClientSession::authenticate_scram() {
    // A password that has expired is none, as at the server.
    bool const has_password = facts_->password && !facts_->password_has_expired;
    auto const known = has_password ? wire::ScramVerifier::parse(*facts_->password) : std::nullopt;
    bool const may_pass = known && facts_->role_exists;
    // An unknown role is asked like a known one, with the server's own salt for it, so that nobody learns which there are.
    auto const& secret = facts_->mock.secret.empty() ? worker_.mock_secret() : facts_->mock.secret;
    auto const verifier = known ? *known : wire::mock_verifier(user_, secret, facts_->mock.iterations);
    auto const binding = stream_->is_tls() ? stream_->tls_server_end_point() : std::string();
    wire::ScramServer scram(verifier, binding, random_word(nonce_length));
    std::string_view const mechanisms[] = {wire::scram_sha_256_plus, wire::scram_sha_256};
    wire::write_authentication_sasl(stream_->output(), std::span(mechanisms).subspan(stream_->is_tls() ? 0 : 1));
    stream_->flush();
    auto first = co_await read_response("SASL", sasl_body_max);
    if (!first) co_return false;
    auto const initial = wire::SaslInitialResponse::parse(*first);
    if (!initial) co_return fatal("08P01", what_is_wrong_with(*first));
    std::string const mechanism(initial->mechanism);
    auto data = initial->data ? std::optional(std::string(*initial->data)) : std::nullopt;
    if (!data) {
        // A client may first name the mechanism alone; the server then asks for what belongs to it.
        wire::write_authentication_sasl_continue(stream_->output(), "");
        stream_->flush();
        data = co_await read_response("SASL", sasl_body_max);
        if (!data) co_return false;
    }
    auto const challenge = scram.first(mechanism, *data);
    if (!challenge) co_return fatal(challenge.error());
    wire::write_authentication_sasl_continue(stream_->output(), *challenge);
    stream_->flush();
    auto const second = co_await read_response("SASL", sasl_body_max);
    if (!second) co_return false;
    auto const outcome = scram.final(*second);
    if (!outcome) co_return fatal(outcome.error());
    if (!outcome->ok || !may_pass) co_return password_failed();
    login_ = std::make_shared<ServerLogin>();
    login_->scram = wire::ScramKeys{outcome->client_key, verifier.server_key};
    wire::write_authentication_sasl_final(stream_->output(), outcome->server_final);
    co_return true;
}

io::Task<bool> ClientSession::authenticate_md5() {
    auto const salt = random_bytes(4);
    wire::write_authentication_md5_password(stream_->output(), salt);
    stream_->flush();
    auto const body = co_await read_response("password", password_body_max);
    if (!body) co_return false;
    auto const given = wire::PasswordMessage::parse(*body);
    if (!given || !facts_->password || facts_->password_has_expired) co_return password_failed();
    auto const wanted = wire::md5_response(*facts_->password, salt);
    if (!wire::are_equal_secrets(given->password, wanted)) co_return password_failed();
    login_ = std::make_shared<ServerLogin>();
    login_->md5 = *facts_->password;
    co_return true;
}

io::Task<bool> ClientSession::authenticate_password() {
    wire::write_authentication_cleartext_password(stream_->output());
    stream_->flush();
    auto const body = co_await read_response("password", password_body_max);
    if (!body) co_return false;
    auto const given = wire::PasswordMessage::parse(*body);
    if (!given || !facts_->password || facts_->password_has_expired) co_return password_failed();
    if (!is_password_of(*facts_->password, user_, std::string(given->password))) co_return password_failed();
    login_ = std::make_shared<ServerLogin>();
    login_->password = given->password;
    co_return true;
}

// What PostgreSQL checks once it knows who it is, in its order and its words.
bool ClientSession::check_admission() {
    if (!login_) login_ = std::make_shared<ServerLogin>();
    if (!facts_->role_exists) return fatal("28000", "role \"" + user_ + "\" does not exist");
    if (!facts_->may_login) return fatal("28000", "role \"" + user_ + "\" is not permitted to log in");
    // Counted before it is compared, so that many at once do not all find the last place free.
    worker_.count(*this);
    is_counted_ = true;
    if (database_ == console_database) return true;
    auto const [of_user, of_database] = worker_.client_counts(user_, database_);
    if (is_over(of_user, facts_->role_connection_limit) && !facts_->is_superuser) {
        return fatal("53300", "too many connections for role \"" + user_ + "\"");
    }
    if (!replication_.empty() && !facts_->is_superuser && !facts_->may_replicate) {
        if (facts_->server_major < 16) return fatal("42501", "must be superuser or replication role to start walsender");
        return fatal("42501", "permission denied to start WAL sender",
                     "Only roles with the REPLICATION attribute may start a WAL sender process.");
    }
    if (!replication_.empty() && replication_ != "database") return true;
    if (!facts_->database_exists) return fatal("3D000", "database \"" + database_ + "\" does not exist");
    if (!facts_->database_allows_connections) {
        return fatal("55000", "database \"" + database_ + "\" is not currently accepting connections");
    }
    if (!facts_->may_connect) {
        return fatal("42501", "permission denied for database \"" + database_ + "\"", "User does not have CONNECT privilege.");
    }
    if (facts_->is_superuser) return true;
    if (is_over(of_database, facts_->database_connection_limit)) {
        return fatal("53300", "too many connections for database \"" + database_ + "\"");
    }
    auto const ours = settings_->user_client_connections;
    if (ours > 0 && of_user > ours) {
        return fatal("53300", "too many connections for role \"" + user_ + "\"", "The endpoint's user_client_connections is reached.");
    }
    return true;
}

}  // namespace pgtandem::proxy
