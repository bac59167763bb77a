// A client of the administration console: simple queries only, as PgBouncer's console takes them.
#include "proxy/client_session.hpp"
#include "proxy/worker.hpp"
#include "wire/backend.hpp"
#include "wire/framing.hpp"
#include "wire/query.hpp"

#include <algorithm>

namespace pgtandem::proxy {

namespace {

bool is_listed(std::vector<std::string> const& names, std::string const& user) {
    return std::ranges::find(names, user) != names.end();
}

ConsoleRight right_of(LoginFacts const& facts, EndpointSettings const& settings, std::string const& user) {
    if (facts.is_superuser || is_listed(settings.console_admins, user)) return ConsoleRight::administer;
    if (facts.is_monitor || is_listed(settings.console_readers, user)) return ConsoleRight::read;
    return ConsoleRight::none;
}

void write_answer(ByteBuffer& out, Result<ConsoleAnswer> const& answer) {
    if (!answer) {
        auto const& error = answer.error();
        wire::write_error_response(out, make_error("ERROR", error.sqlstate.empty() ? "XX000" : error.sqlstate.c_str(), error.line(), "", error.hint));
        return;
    }
    for (auto const& notice : answer->notices) wire::write_notice_response(out, make_error("NOTICE", "00000", notice));
    if (answer->table) {
        wire::write_row_description(out, answer->table->columns);
        for (auto const& row : answer->table->rows) wire::write_data_row(out, row);
    }
    wire::CommandComplete{answer->tag}.write(out);
}

}  // namespace

io::Task<> ClientSession::serve_console() {
    auto const right = right_of(*facts_, *settings_, user_);
    if (right == ConsoleRight::none) {
        fatal("42501", "permission denied for database \"" + database_ + "\"",
              "The console is for superusers, members of pg_monitor, and users that console_admins or console_readers name.");
        co_return;
    }
    auto& out = stream_->output();
    for (auto const& [name, value] : std::initializer_list<std::pair<char const*, char const*>>{
             {"server_version", "15.0"}, {"server_encoding", "UTF8"}, {"client_encoding", "UTF8"}, {"DateStyle", "ISO, MDY"},
             {"TimeZone", "UTC"}, {"standard_conforming_strings", "on"}, {"integer_datetimes", "on"}}) {
        wire::ParameterStatus{name, value}.write(out);
    }
    worker_.register_for_cancel(*this, minor_version_, nullptr, told_process_id_, cancel_key_);
    wire::BackendKeyData{told_process_id_, cancel_key_}.write(out);
    wire::ReadyForQuery{'I'}.write(out);
    stream_->flush();
    timer_->stop();
    is_serving_ = true;
    bool skips_to_sync = false;  // after what it does not take, as a server
    while (!end_reason_ && stream_->health() == io::Health::open) {
        auto const header = wire::read_header(stream_->input());
        if (header && (header->type == 'X' || header->body > wire::frontend_body_max(header->type, true))) break;
        if (!header || stream_->input().size() < header->total()) {
            if (stream_->at_end()) break;
            if (header) stream_->want_input(header->total());
            co_await event_.wait();
            continue;
        }
        auto const query = header->type == 'Q' ? wire::Query::parse(stream_->input().substr(wire::header_size, header->body)) : std::nullopt;
        std::string const text(query ? query->text : "");
        bool const is_sync = header->type == 'S';
        stream_->consume(header->total());
        if (skips_to_sync && !is_sync) continue;
        skips_to_sync = !query && !is_sync;
        if (skips_to_sync) {
            wire::write_error_response(out, make_error("ERROR", "0A000", "the console takes simple queries only"));
        } else if (query) {
            // The answer may come after the client has gone.
            auto const answer = std::make_shared<std::optional<Result<ConsoleAnswer>>>();
            worker_.ask_console(text, right, *this, [this, answer](Result<ConsoleAnswer> given) {
                answer->emplace(std::move(given));
                event_.signal();
            });
            while (!*answer && !end_reason_) co_await event_.wait();
            if (*answer) write_answer(out, **answer);
        }
        if (query || is_sync) wire::ReadyForQuery{'I'}.write(out);
        stream_->flush();
    }
    if (end_reason_) say_goodbye(*end_reason_);
}

}  // namespace pgtandem::proxy
