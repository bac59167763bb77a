#include "proxy/settings_table.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/text.hpp"

namespace pgtandem::proxy {

namespace {

tl::unexpected<Error> bad(std::string const& value, std::string const& wanted) {
    return usage_error("", "", "'" + value + "' is not " + wanted);
}

template <class Number>
Status set_number(Number& target, std::string const& value, std::uint64_t least, std::uint64_t most) {
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc{} || end != value.data() + value.size() || number < least || number > most) {
        return bad(value, "a number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    target = static_cast<Number>(number);
    return {};
}

Status set_milliseconds(std::chrono::milliseconds& target, std::string const& value) {
    std::uint64_t number = 0;
    PGTANDEM_CHECK(set_number(number, value, 0, std::uint64_t{1} << 40));
    target = std::chrono::milliseconds(number);
    return {};
}

template <class Choice>
Status choose(Choice& target, std::string const& value, std::map<std::string, Choice> const& choices) {
    auto const found = choices.find(value);
    std::vector<std::string> names;
    for (auto const& [name, choice] : choices) names.push_back(name);
    if (found == choices.end()) return bad(value, "one of " + join(names, ", "));
    target = found->second;
    return {};
}

template <class Choice>
std::string name_of(Choice value, std::map<std::string, Choice> const& choices) {
    for (auto const& [name, choice] : choices) {
        if (choice == value) return name;
    }
    return {};
}

std::map<std::string, PoolMode> const pool_modes{
    {"transparent", PoolMode::transparent}, {"transaction", PoolMode::transaction}, {"session", PoolMode::session}};
std::map<std::string, io::LoopKind> const loop_kinds{
    {"automatic", io::LoopKind::automatic}, {"io_uring", io::LoopKind::io_uring}, {"epoll", io::LoopKind::epoll}};
std::map<std::string, TlsMode> const tls_modes{{"off", TlsMode::off}, {"allow", TlsMode::allow}, {"require", TlsMode::require}};

std::vector<std::string> words(std::string const& value) {
    std::vector<std::string> found;
    for (auto const& word : split(value, ',')) {
        if (!trim(word).empty()) found.emplace_back(trim(word));
    }
    return found;
}

std::map<std::string, Consistency> const consistency_levels(consistencies.begin(), consistencies.end());
std::map<std::string, bool> const switches{{"on", true}, {"off", false}};

using E = EndpointSettings;

// "node1=2,node2=0"
Status set_weights(E& settings, std::string const& value) {
    std::vector<ServerWeight> weights;
    for (auto const& word : words(value)) {
        auto const equals = word.rfind('=');
        if (equals == std::string::npos) return bad(word, "of the form server=weight");
        ServerWeight weight{word.substr(0, equals)};
        PGTANDEM_CHECK(set_number(weight.weight, word.substr(equals + 1), 0, 1000));
        weights.push_back(std::move(weight));
    }
    settings.weights = std::move(weights);
    return {};
}

std::string weights_text(E const& settings) {
    std::vector<std::string> parts;
    for (auto const& [server, weight] : settings.weights) parts.push_back(server + "=" + std::to_string(weight));
    return join(parts, ",");
}

template <auto Member, std::uint64_t Least, std::uint64_t Most>
SettingRow number_row(std::string_view name, bool changes) {
    return {name, changes, [](E& settings, std::string const& value) { return set_number(settings.*Member, value, Least, Most); },
            [](E const& settings) { return std::to_string(settings.*Member); }};
}

template <auto Member>
SettingRow time_row(std::string_view name) {
    return {name, true, [](E& settings, std::string const& value) { return set_milliseconds(settings.*Member, value); },
            [](E const& settings) { return std::to_string((settings.*Member).count()); }};
}

template <auto Member>
SettingRow words_row(std::string_view name, bool changes) {
    return {name, changes,
            [](E& settings, std::string const& value) -> Status {
                settings.*Member = words(value);
                return {};
            },
            [](E const& settings) { return join(settings.*Member, ","); }};
}

template <auto Member>
SettingRow path_row(std::string_view name, bool changes) {
    return {name, changes,
            [](E& settings, std::string const& value) -> Status {
                settings.*Member = value;
                return {};
            },
            [](E const& settings) { return (settings.*Member).string(); }};
}

template <auto Member, auto const& Choices>
SettingRow choice_row(std::string_view name, bool changes) {
    return {name, changes, [](E& settings, std::string const& value) { return choose(settings.*Member, value, Choices); },
            [](E const& settings) { return name_of(settings.*Member, Choices); }};
}

}  // namespace

std::vector<SettingRow> const& endpoint_setting_rows() {
    static std::vector<SettingRow> const rows{
        words_row<&E::listen>("listen", false),
        number_row<&E::port, 0, 65535>("port", false),
        number_row<&E::reads_port, 0, 65535>("reads_port", false),
        path_row<&E::unix_socket_folder>("unix_socket_folder", false),
        choice_row<&E::io, loop_kinds>("io", false),
        number_row<&E::threads, 0, 256>("threads", false),
        choice_row<&E::pool_mode, pool_modes>("pool_mode", true),
        number_row<&E::pool_size, 1, 100000>("pool_size", true),
        number_row<&E::server_connections, 1, 100000>("server_connections", true),
        number_row<&E::client_connections, 1, 1000000>("client_connections", true),
        number_row<&E::user_client_connections, 0, 1000000>("user_client_connections", true),
        number_row<&E::queue_length, 0, 1000000>("queue_length", true),
        time_row<&E::login_timeout>("login_timeout_ms"),
        time_row<&E::connect_timeout>("connect_timeout_ms"),
        time_row<&E::query_wait_timeout>("query_wait_timeout_ms"),
        time_row<&E::client_idle_timeout>("client_idle_timeout_ms"),
        time_row<&E::idle_in_transaction_timeout>("idle_in_transaction_timeout_ms"),
        time_row<&E::client_stall_timeout>("client_stall_timeout_ms"),
        time_row<&E::server_idle_timeout>("server_idle_timeout_ms"),
        time_row<&E::server_lifetime>("server_lifetime_ms"),
        time_row<&E::drain_timeout>("drain_timeout_ms"),
        choice_row<&E::split, switches>("split", true),
        choice_row<&E::consistency, consistency_levels>("consistency", true),
        time_row<&E::max_lag>("max_lag_ms"),
        time_row<&E::floor_wait>("floor_wait_ms"),
        SettingRow{"weights", true, set_weights, weights_text},
        words_row<&E::read_only_functions>("read_only_functions", true),
        words_row<&E::primary_functions>("primary_functions", true),
        number_row<&E::prepared_statements, 1, 100000>("prepared_statements", true),
        number_row<&E::analysed_bytes, 1024, 1 << 30>("analysed_bytes", true),
        choice_row<&E::check_sharing, switches>("check_sharing", true),
        choice_row<&E::tls, tls_modes>("tls", true),
        path_row<&E::tls_certificate>("tls_certificate", true),
        path_row<&E::tls_key>("tls_key", true),
        path_row<&E::tls_client_ca>("tls_client_ca", true),
        words_row<&E::console_admins>("console_admins", true),
        words_row<&E::console_readers>("console_readers", true),
        words_row<&E::refused_users>("refused_users", true),
    };
    return rows;
}

Status set_endpoint_setting(EndpointSettings& settings, std::string const& name, std::string const& value, std::string const& where) {
    auto const& rows = endpoint_setting_rows();
    auto const row = std::ranges::find(rows, name, &SettingRow::name);
    if (row == rows.end()) {
        std::vector<std::string> known;
        for (auto const& candidate : rows) known.emplace_back(candidate.name);
        return usage_error("reading the settings", where, "there is no setting '" + name + "'", did_you_mean(name, known));
    }
    if (auto const set = row->set(settings, value); !set) {
        return usage_error("reading the setting", name + " (" + where + ")", set.error().why);
    }
    return {};
}

std::vector<std::string> needing_restart(EndpointSettings const& before, EndpointSettings const& after) {
    std::vector<std::string> names;
    for (auto const& row : endpoint_setting_rows()) {
        if (!row.changes_while_running && row.get(before) != row.get(after)) names.emplace_back(row.name);
    }
    return names;
}

}  // namespace pgtandem::proxy
