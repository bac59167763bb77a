#include "proxy/session_settings.hpp"

#include <algorithm>
#include <charconv>

#include "base/interned.hpp"
#include "pg/quoting.hpp"

namespace pgtandem::proxy {

namespace {

constexpr std::string_view role = "role";
constexpr std::size_t shared_bytes_max = 8 << 10;

// Sessions of one thread that have set the same share one value: whether a backend that has served one of them has what
// another needs is a comparison of pointers then.
// Large ones are not kept for others: each change of one makes another, and all that nobody holds any more would stay.
SettingsRef shared(SessionSettings settings) {
    std::size_t bytes = 0;
    for (auto const& [name, statement] : settings) bytes += name.size() + statement.size();
    if (bytes > shared_bytes_max) return std::make_shared<SessionSettings const>(std::move(settings));
    thread_local Interned<SessionSettings> known;
    return known.get(std::move(settings));
}

}  // namespace

// A custom setting's name is two identifiers.
std::string reset_statement(std::string_view name) {
    auto const dot = name.find('.');
    if (dot == std::string_view::npos) return "RESET " + quoted_identifier(name);
    return "RESET " + quoted_identifier(name.substr(0, dot)) + "." + quoted_identifier(name.substr(dot + 1));
}

void add_statement(std::string& text, std::string const& statement) {
    if (!text.empty()) text += "; ";
    text += statement;
}

// "SET name TO '5min'", "SET name TO 300 ms", "SET name TO 1.5"; the units are PostgreSQL's (guc.c).
std::chrono::milliseconds time_of_statement(std::string_view statement) {
    constexpr std::pair<std::string_view, double> units[] = {{"", 1}, {"us", 0.001}, {"ms", 1}, {"s", 1000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
    constexpr std::string_view before_value = " TO ";
    auto const at = statement.find(before_value);
    if (at == statement.npos) return {};
    std::string text(statement.substr(at + before_value.size()));
    std::erase_if(text, [](char letter) { return letter == '\'' || letter == ' '; });
    double amount = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
    if (error != std::errc{} || !(amount > 0)) return {};
    std::string_view const unit(end, text.data() + text.size());
    for (auto const& [name, milliseconds] : units) {
        if (name == unit) return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(amount * milliseconds, 2e9)));
    }
    return {};
}

SettingsRef no_settings() {
    static SettingsRef const none = std::make_shared<SessionSettings const>();
    return none;
}

SettingsRef changed(SettingsRef const& before, std::vector<sql::SettingChange> const& changes) {
    using enum sql::SettingChange::Kind;
    auto after = *before;
    for (auto const& change : changes) {
        if (change.kind == set) after[change.name] = change.replay;
        if (change.kind == reset) after.erase(change.name);
        // RESET ALL leaves the role as it is (guc_tables.c, GUC_NO_RESET_ALL).
        if (change.kind == reset_all) std::erase_if(after, [](auto const& entry) { return entry.first != role; });
    }
    if (after == *before) return before;
    if (after.empty()) return no_settings();
    return shared(std::move(after));
}

std::string statements_between(SessionSettings const& from, SessionSettings const& to) {
    std::string text;
    auto const from_role = from.find(role);
    auto const to_role = to.find(role);
    bool const leaves_role = from_role != from.end();
    if (leaves_role) add_statement(text, reset_statement(role));
    for (auto const& [name, statement] : from) {
        if (name != role && !to.contains(name)) add_statement(text, reset_statement(name));
    }
    for (auto const& [name, statement] : to) {
        if (name == role) continue;
        auto const present = from.find(name);
        if (present == from.end() || present->second != statement) add_statement(text, statement);
    }
    if (to_role == to.end()) return text;
    // Where the role is all that would be left and taken again, nothing differs.
    bool const is_same_role = leaves_role && from_role->second == to_role->second;
    if (is_same_role && text == reset_statement(role)) return {};
    add_statement(text, to_role->second);
    return text;
}

}  // namespace pgtandem::proxy
