// The endpoint's own settings of one session, and where its statements would go.
#include <fmt/format.h>

#include <array>

#include "proxy/client_session.hpp"
#include "proxy/worker.hpp"
#include "sql/hint.hpp"
#include "sql/lexer.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto floor_patience = std::chrono::seconds(5);

constexpr std::array<std::pair<std::string_view, RouteWish>, 3> route_wishes{
    {{"auto", RouteWish::automatic}, {"primary", RouteWish::primary}, {"replica", RouteWish::replica}}};

constexpr std::string_view own_prefix = "pgtandem.";

// As one word of the startup parameter "options".
std::string option_text(std::string_view text) {
    std::string quoted;
    for (char const letter : text) {
        if (letter == '\\' || letter == ' ' || (letter >= '\t' && letter <= '\r')) quoted += '\\';
        quoted += letter;
    }
    return quoted;
}

template <class Choices>
auto find_choice(Choices const& choices, std::string_view word) -> std::optional<decltype(choices[0].second)> {
    for (auto const& [name, choice] : choices) {
        if (sql::equals_folded(word, name)) return choice;
    }
    return std::nullopt;
}

template <class Choices, class Choice>
std::string name_in(Choices const& choices, Choice wanted) {
    for (auto const& [name, choice] : choices) {
        if (choice == wanted) return std::string(name);
    }
    return {};
}

OwnAnswer refusal(char const* sqlstate, std::string message, std::string hint = {}) {
    OwnAnswer answer;
    answer.error = make_error("ERROR", sqlstate, std::move(message), "", std::move(hint));
    return answer;
}

OwnAnswer unknown(std::string const& name) {
    return refusal("42704", fmt::format("unrecognized configuration parameter \"{}\"", name),
                   "There are pgtandem.route, pgtandem.consistency and pgtandem.floor.");
}

OwnAnswer bad_value(OwnStatement const& own, std::string hint) {
    return refusal("22023", fmt::format("invalid value for parameter \"{}\": \"{}\"", own.name, own.value), std::move(hint));
}

}  // namespace

std::optional<OwnAnswer> ClientSession::answer_own(OwnStatement const& own) {
    switch (own.kind) {
        case OwnStatement::Kind::set: return set_own(own);
        case OwnStatement::Kind::reset: return reset_own(own);
        case OwnStatement::Kind::show: return show_own(own);
        case OwnStatement::Kind::explain: return explain_route(own.value);
    }
    return std::nullopt;
}

OwnAnswer ClientSession::set_own(OwnStatement const& own) {
    if (own.is_local) return refusal("0A000", "pgtandem's settings are the session's, not a transaction's", "SET without LOCAL.");
    if (own.name == "pgtandem.route") {
        auto const wish = find_choice(route_wishes, own.value);
        if (!wish) return bad_value(own, "Available values: auto, primary, replica.");
        route_wish_ = *wish;
    } else if (own.name == "pgtandem.consistency") {
        auto const level = find_choice(consistencies, own.value);
        if (!level) return bad_value(own, "Available values: eventual, bounded, session, endpoint, strict.");
        consistency_ = *level;
    } else if (own.name == "pgtandem.floor") {
        if (!floor_.raise(own.value, worker_.routing())) {
            return bad_value(own, "A floor is what SHOW pgtandem.floor gives: 1:0/3000148.");
        }
    } else {
        return unknown(own.name);
    }
    return {{}, "SET"};
}

OwnAnswer ClientSession::reset_own(OwnStatement const& own) {
    if (own.name == "pgtandem.route") route_wish_ = first_route_wish_;
    else if (own.name == "pgtandem.consistency") consistency_ = first_consistency_;
    else if (own.name == "pgtandem.floor") return refusal("0A000", "a floor does not go back");
    else return unknown(own.name);
    return {{}, own.kind == OwnStatement::Kind::reset ? "RESET" : "SET"};
}

void ClientSession::reset_own_settings() {
    route_wish_ = first_route_wish_;
    consistency_ = first_consistency_;
}

std::optional<OwnAnswer> ClientSession::show_own(OwnStatement const& own) {
    OwnAnswer answer{{}, "SHOW"};
    if (own.name == "pgtandem.route") {
        answer.rows = {name_in(route_wishes, route_wish_)};
    } else if (own.name == "pgtandem.consistency") {
        answer.rows = {name_in(consistencies, consistency_.value_or(settings_->consistency))};
    } else if (own.name == "pgtandem.floor") {
        auto const now = worker_.loop().now();
        bool const has_waited = awaiting_since_ != Clock::time_point();
        auto const floor = floor_.text(worker_.routing(), worker_.samples());
        if (!floor && has_waited && now - awaiting_since_ >= floor_patience) {
            awaiting_since_ = {};
            return refusal("57P03", "the primary does not say how far it is");
        }
        if (!floor) {
            await_news(Awaits::floor_text);
            return std::nullopt;
        }
        awaiting_since_ = {};
        answer.rows = {*floor};
    } else {
        return unknown(own.name);
    }
    return answer;
}

// Why what may be read anywhere is not; "" where it is.
std::string ClientSession::why_not_split() const {
    if (!settings_->split) return "split is off";
    if (target_ != Target::primary) return "this port is for the replicas";
    if (settings_->pool_mode == PoolMode::session) return "pool_mode is session";
    if (state_.is_pinned()) return "the session is pinned: " + state_.hard_pins().names();
    if (route_wish_ == RouteWish::primary) return "pgtandem.route is primary";
    if (!worker_.routing().has_reader) return "there is no replica that follows the primary";
    if (relay_->is_in_transaction()) return "a transaction block stays where it has begun";
    return {};
}

std::optional<OwnAnswer> ClientSession::explain_route(std::string_view statement) {
    if (must_wait_to_read(statement, relay_->strings_conform())) return std::nullopt;
    OwnAnswer answer{{}, "EXPLAIN"};
    auto const analysis = analyse(statement, relay_->strings_conform());
    auto const verdict = analysis == nullptr ? sql::Verdict{false, sql::Reason::too_long} : sql::with_hint(analysis->verdict, sql::hint_of(*analysis, statement));
    auto const why_not = verdict.may_read ? why_not_split() : std::string();
    bool const is_shared = verdict.may_read && why_not.empty();
    answer.rows.push_back(is_shared ? "Route: any server that has seen enough" : "Route: primary");
    answer.rows.push_back(fmt::format("Reason: {}", sql::name(verdict.reason)));
    if (!verdict.detail.empty()) answer.rows.push_back("Detail: " + verdict.detail);
    if (!why_not.empty()) answer.rows.push_back("But: " + why_not);
    sql::Pins pins;
    if (analysis != nullptr) {
        for (auto const& effects : analysis->statements) pins |= effects.pins;
    }
    if (!pins.empty()) answer.rows.push_back("Pins the session: " + pins.names());
    return answer;
}

// Those of the startup message; what is left is for the servers.
bool ClientSession::take_own_parameters() {
    std::vector<std::pair<std::string, std::string>> kept;
    for (auto& [name, value] : std::exchange(parameters_, {})) {
        if (name == "options" && value.find(own_prefix) != std::string::npos) {
            auto const options = wire::parse_options(value);
            if (!options) return fatal(options.error());
            value.clear();
            for (auto const& [option, given] : *options) {
                if (!option.starts_with(own_prefix)) {
                    value += "-c " + option_text(option) + "=" + option_text(given) + " ";
                } else if (!begin_with_own(option, given)) {
                    return false;
                }
            }
            if (value.empty()) continue;
        } else if (name.starts_with(own_prefix)) {
            if (!begin_with_own(name, value)) return false;
            continue;
        }
        kept.emplace_back(std::move(name), std::move(value));
    }
    parameters_ = std::move(kept);
    first_route_wish_ = route_wish_;
    first_consistency_ = consistency_;
    return true;
}

bool ClientSession::begin_with_own(std::string const& name, std::string const& value) {
    auto const answer = set_own({OwnStatement::Kind::set, name, value});
    if (!answer.error) return true;
    auto error = *answer.error;
    error.severity = error.severity_nonlocal = "FATAL";
    return say_goodbye(error);
}

}  // namespace pgtandem::proxy
