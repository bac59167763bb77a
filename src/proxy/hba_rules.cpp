#include "proxy/hba_rules.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "proxy/hba_text.hpp"

namespace pgtandem::proxy {

namespace {

constexpr char const* load_query =
    "SELECT extract(epoch FROM pg_catalog.pg_conf_load_time())::pg_catalog.text, pg_catalog.current_setting('hba_file')";

// Whoever may not look at the file takes it for unchanged.
constexpr char const* edited_query =
    "SELECT greatest(modification, change) OPERATOR(pg_catalog.>) pg_catalog.pg_conf_load_time() FROM pg_catalog.pg_stat_file($1, true)";

constexpr char const* text_query = "SELECT pg_catalog.encode(pg_catalog.pg_read_binary_file($1), 'hex')";

constexpr char const* lines_query =
    "SELECT {number}, coalesce(error, ''), type, "
    "(SELECT pg_catalog.json_agg(pg_catalog.encode(pg_catalog.textsend(w), 'hex')) FROM pg_catalog.unnest(database) w), "
    "(SELECT pg_catalog.json_agg(pg_catalog.encode(pg_catalog.textsend(w), 'hex')) FROM pg_catalog.unnest(user_name) w), "
    "coalesce(address, ''), coalesce(netmask, ''), auth_method, "
    "(SELECT pg_catalog.json_agg(pg_catalog.encode(pg_catalog.textsend(w), 'hex')) FROM pg_catalog.unnest(options) w), "
    "line_number, {file} FROM pg_catalog.pg_hba_file_rules ORDER BY {number}";

int number_of(std::optional<std::string> const& value) { return value ? std::atoi(value->c_str()) : 0; }

HbaLine line_of(Rows::Row const& row) {
    return {number_of(row[0]),      row[2].value_or(""), names_of(row[3]),     names_of(row[4]),
            row[5].value_or(""),    row[6].value_or(""), row[7].value_or(""), names_of(row[8])};
}

bool was_edited(Session& session, std::string const& file, Deadline deadline) {
    auto const edited = session.query(edited_query, {file}, deadline);
    return edited && edited->value() == "t";
}

// "" where we may not read it: then no word is known to be in quotes.
std::string text_of(Session& session, std::string const& file, Deadline deadline) {
    auto const text = session.query(text_query, {file}, deadline);
    return text ? from_hex(text->value()) : "";
}

}  // namespace

std::vector<std::string> names_of(std::optional<std::string> const& json_of_hex) {
    std::vector<std::string> names;
    if (!json_of_hex) return names;
    for (auto const& name : nlohmann::json::parse(*json_of_hex)) names.push_back(from_hex(name.get<std::string>()));
    return names;
}

Status HbaRules::read(Session& session, Deadline deadline) {
    PGTANDEM_TRY(loaded, session.query(load_query, deadline));
    auto const load_time = std::strtod(loaded.value().c_str(), nullptr);
    auto const main_file = loaded.begin()->at(1).value_or("");
    bool const is_known = !lines_.empty();
    if (is_known && (load_time <= load_time_ || was_edited(session, main_file, deadline))) return {};
    bool const is_16 = session.server_version() >= 160000;
    auto const query = fmt::format(fmt::runtime(lines_query), fmt::arg("number", is_16 ? "rule_number" : "line_number"),
                                   fmt::arg("file", is_16 ? "file_name" : "pg_catalog.current_setting('hba_file')"));
    PGTANDEM_TRY(rows, session.query(query, deadline));
    std::vector<HbaLine> lines;
    std::map<std::string, std::string> texts;
    for (auto const& row : rows) {
        // With a type it is a line that is in effect, and the error a warning: hostssl where the server has no TLS.
        if (!row[1]->empty() && !row[2]) {
            if (is_known) return {};
            return fail("reading pg_hba.conf", fmt::format("line {}", row[9].value_or("?")), *row[1],
                        "mend the line, then SELECT pg_reload_conf()");
        }
        auto const file = row[10].value_or("");
        if (!texts.contains(file)) texts[file] = text_of(session, file, deadline);
        lines.push_back(line_of(row));
        lines.back().quoted = quoted_words(texts[file], number_of(row[9]));
    }
    lines_ = std::move(lines);
    load_time_ = load_time;
    return {};
}

}  // namespace pgtandem::proxy
