#include "proxy/probe_line.hpp"

#include "pg/own_session.hpp"
#include "proxy/probe_queries.hpp"
#include "wire/framing.hpp"
#include "wire/query.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto connect_patience = std::chrono::seconds(2);
constexpr std::uint32_t body_max = 16 << 20;

}  // namespace

ProbeLine::ProbeLine(io::Loop& loop, ReportedRegistry& reported, ServerEntry const& server, std::shared_ptr<ServerLogin const> login,
                     std::function<void()> changed)
    : loop_(loop),
      reported_(reported),
      changed_(std::move(changed)),
      used_at_(loop.now()),
      backend_(loop, *this, 0, server, std::move(login), connect_patience) {}

// Whoever has asked has gone too.
ProbeLine::~ProbeLine() = default;

void ProbeLine::ask(std::string_view query, Answer answer) {
    answer_ = std::move(answer);
    used_at_ = loop_.now();
    wire::Query{query}.write(backend_.stream().output());
    backend_.stream().flush();
}

void ProbeLine::logged_in(Backend& backend) {
    backend.stream().set_owner(*this);
    is_ready_ = true;
    ask(probe_prologue, [](wire::DataRow const*) {});
}

void ProbeLine::lost(Backend&, wire::ErrorFields why) {
    was_refused_ = !is_ready_ && is_for_the_reserve(why.sqlstate);
    lose();
}

void ProbeLine::settled(Backend&) {}

void ProbeLine::on_event(io::Stream& stream) {
    while (!is_lost_) {
        auto const header = wire::read_header(stream.input());
        if (!header) break;
        if (header->body > body_max) return lose();
        if (stream.input().size() < header->total()) {
            stream.want_input(header->total());
            break;
        }
        if (!take_message(header->type, stream.input().substr(wire::header_size, header->body))) return lose();
        stream.consume(header->total());
    }
    if (!backend_.is_open()) lose();
}

bool ProbeLine::take_message(char type, std::string_view body) {
    switch (type) {
        case 'D': {
            auto const row = wire::DataRow::parse(body);
            if (row && answer_) give(&*row);
            // A second row of the same answer would find nobody.
            answer_ = [](wire::DataRow const*) {};
            return row.has_value();
        }
        case 'Z':
            give(nullptr);
            changed_();
            return true;
        case 'T':
        case 'C':
        case 'E':
        case 'N':
        case 'S': return true;
        default: return false;
    }
}

void ProbeLine::give(wire::DataRow const* row) {
    used_at_ = loop_.now();
    if (auto const answer = std::exchange(answer_, nullptr)) answer(row);
}

void ProbeLine::lose() {
    if (std::exchange(is_lost_, true)) return;
    give(nullptr);
    changed_();
}

}  // namespace pgtandem::proxy
