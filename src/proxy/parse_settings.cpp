#include "proxy/parse_settings.hpp"

#include <algorithm>
#include <array>

#include "pg/quoting.hpp"
#include "sql/cursor.hpp"
#include "sql/literal.hpp"

namespace pgtandem::proxy {

namespace {

// Each is read by the server while it executes, waits, logs or talks to the client; none by the parser, the rewriter or the
// planner. What is not here counts as one that matters: the planner's settings, those of extensions, those of newer versions.
constexpr auto read_only_later = std::to_array<std::string_view>({
    "application_name",               // shown
    "backend_flush_after",            // writes
    "client_min_messages",            // which messages are sent
    "commit_delay",                   // commits
    "commit_siblings",                // commits
    "deadlock_timeout",               // waits
    "default_transaction_deferrable",  // read when a transaction begins, as are the next two
    "default_transaction_isolation",
    "default_transaction_read_only",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "lock_timeout",
    "password_encryption",  // ALTER ROLE, when it runs
    "statement_timeout",
    "synchronous_commit",  // commits
    "tcp_keepalives_count",
    "tcp_keepalives_idle",
    "tcp_keepalives_interval",
    "tcp_user_timeout",
    "temp_file_limit",
    "transaction_timeout",
});
static_assert(std::ranges::is_sorted(read_only_later));

// By which the input and output functions of literals, and the parser, read what stands in a function's text. The catalog is asked for
// functions that set one of them (sql/catalog_query.cpp).
constexpr auto read_for_literals = std::to_array<std::string_view>({
    "array_nulls", "bytea_output", "datestyle", "extra_float_digits", "intervalstyle", "lc_monetary", "lc_numeric", "lc_time",
    "quote_all_identifiers", "timezone", "timezone_abbreviations", "transform_null_equals", "xmloption",
});
static_assert(std::ranges::is_sorted(read_for_literals));

// The words of DateStyle and what each stands for (check_datestyle() in PostgreSQL's variable.c); German brings an order of its own,
// unless one has been given.
struct DateStyleWord {
    std::string_view word;
    std::string_view style;
    std::string_view order;
};
constexpr DateStyleWord date_style_words[] = {{"iso", "ISO", ""},  {"sql", "SQL", ""}, {"postgres", "Postgres", ""}, {"german", "German", "DMY"},
                                              {"ymd", "", "YMD"},  {"dmy", "", "DMY"}, {"mdy", "", "MDY"},           {"us", "", "MDY"},
                                              {"euro", "", "DMY"}, {"european", "", "DMY"}, {"noneuro", "", "MDY"},  {"noneuropean", "", "MDY"}};

constexpr std::string_view set_word = "SET ";

// Of a statement that sets for good: "SET name TO value", or a lone "SELECT pg_catalog.set_config(..., false)".
std::string local(std::string_view statement) {
    constexpr std::string_view for_good = "false)";
    if (statement.starts_with(set_word)) return "SET LOCAL " + std::string(statement.substr(set_word.size()));
    auto const at = statement.rfind(for_good);
    return at == statement.npos ? std::string(statement) : std::string(statement.substr(0, at)) + "true)" + std::string(statement.substr(at + for_good.size()));
}

// What is left or missing is given its first value, as RESET would for good.
std::string local_default(std::string_view setting) {
    auto const dot = setting.find('.');
    auto name = quoted_identifier(setting.substr(0, dot));
    if (dot != setting.npos) name += "." + quoted_identifier(setting.substr(dot + 1));
    return "SET LOCAL " + name + " TO DEFAULT";
}

template <typename Matters>
SettingsRef those(SettingsRef const& settings, Matters const& matters) {
    std::vector<sql::SettingChange> without;
    for (auto const& [name, statement] : *settings) {
        if (!matters(name)) without.push_back({sql::SettingChange::Kind::reset, name, ""});
    }
    return changed(settings, without);
}

}  // namespace

std::string date_style_after(std::string_view present, std::string_view set_statement) {
    auto const comma = present.find(", ");
    sql::Cursor cursor(set_statement, true);
    bool const is_set = cursor.accept("set") && cursor.accept("datestyle") && cursor.accept("to");
    if (!is_set || comma == present.npos) return {};
    std::string style(present.substr(0, comma));
    std::string order(present.substr(comma + 2));
    bool has_order = false;
    auto const take = [&](std::string_view word) {
        for (auto const& [known, its_style, its_order] : date_style_words) {
            if (!sql::equals_folded(word, known)) continue;
            if (!its_style.empty()) style = its_style;
            if (its_order.empty()) return true;
            bool const is_by_style = !its_style.empty();
            if (!is_by_style || !has_order) order = its_order;
            has_order = has_order || !is_by_style;
            return true;
        }
        return false;
    };
    for (; !cursor.done(); cursor.advance()) {
        if (cursor.token().is(',')) continue;
        auto const text = cursor.token().kind == sql::Token::Kind::string ? sql::plain_value(cursor.token()).value_or("?")
                                                                          : std::string(cursor.token().text);
        for (std::string_view rest = text; !rest.empty();) {
            auto const end = rest.find_first_of(", ");
            if (auto const word = rest.substr(0, end); !word.empty() && !take(word)) return {};
            rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
        }
    }
    return style + ", " + order;
}

bool matters_to_parser(std::string_view setting) {
    return !setting.starts_with("log_") && !setting.starts_with("track_") && !std::ranges::binary_search(read_only_later, setting);
}

SettingsRef settings_for_parser(SettingsRef const& settings) { return those(settings, matters_to_parser); }

SettingsRef settings_for_kept_plans(SettingsRef const& settings) {
    return those(settings, [](std::string_view name) { return std::ranges::binary_search(read_for_literals, name); });
}

std::vector<std::string> local_statements_between(SessionSettings const& from, SessionSettings const& to) {
    std::vector<std::string> statements;
    auto const from_role = from.find("role");
    auto const to_role = to.find("role");
    bool const same_role = (from_role == from.end() ? "" : from_role->second) == (to_role == to.end() ? "" : to_role->second);
    for (auto const& [name, statement] : from) {
        if (name != "role" && !to.contains(name)) statements.push_back(local_default(name));
    }
    for (auto const& [name, statement] : to) {
        auto const present = from.find(name);
        bool const is_there = present != from.end() && present->second == statement;
        if (name != "role" && !is_there) statements.push_back(local(statement));
    }
    bool const leaves_role = from_role != from.end() && (!same_role || !statements.empty());
    if (leaves_role) statements.insert(statements.begin(), "SET LOCAL ROLE NONE");
    if (to_role != to.end() && (!same_role || leaves_role)) statements.push_back(local(to_role->second));
    return statements;
}

}  // namespace pgtandem::proxy
