#include "proxy/hba_rules.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "proxy/hba_text.hpp"

namespace pgtandem::proxy {

namespace {

// Two changes of a file within a tick of the kernel's clock may have the same time. A change that is as near behind a load is
// taken for loaded: whoever writes a file and loads it at once is not to be locked out.
constexpr double clock_tick_s = 0.01;
constexpr double second = 1.0;

constexpr char const* no_such_file = "58P01";

constexpr char const* path_query = "SELECT pg_catalog.current_setting('hba_file')";

// A file that is missing may have been there: then its folder has changed.
constexpr char const* stamp_query = R"(
SELECT p.path, pg_catalog.date_part('epoch', coalesce(s.change, s.modification)), s.size, s.size IS NULL,
       pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())
  FROM pg_catalog.json_array_elements_text($1::pg_catalog.json) WITH ORDINALITY p (path, number), pg_catalog.pg_stat_file(p.path, true) s
 ORDER BY p.number)";

constexpr char const* conf_fault_query = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_file_settings WHERE error IS NOT NULL";

constexpr char const* text_query = "SELECT pg_catalog.encode(pg_catalog.pg_read_binary_file($1), 'hex')";

constexpr char const* list_query = "SELECT pg_catalog.encode(pg_catalog.textsend(f), 'hex') FROM pg_catalog.pg_ls_dir($1) f";

constexpr char const* lines_query =
    "SELECT {number}, coalesce(error, ''), type, "
    "(SELECT pg_catalog.json_agg(pg_catalog.encode(pg_catalog.textsend(w), 'hex')) FROM pg_catalog.unnest(database) w), "
    "(SELECT pg_catalog.json_agg(pg_catalog.encode(pg_catalog.textsend(w), 'hex')) FROM pg_catalog.unnest(user_name) w), "
    "coalesce(address, ''), coalesce(netmask, ''), auth_method, "
    "(SELECT pg_catalog.json_agg(pg_catalog.encode(pg_catalog.textsend(w), 'hex')) FROM pg_catalog.unnest(options) w), "
    "line_number, {file} FROM pg_catalog.pg_hba_file_rules ORDER BY {number}";

int number_of(std::optional<std::string> const& value) { return value ? std::atoi(value->c_str()) : 0; }
double seconds_of(std::optional<std::string> const& value) { return value ? std::strtod(value->c_str(), nullptr) : 0; }

// The words as the view has them, with the quotes that stand in the text; unknown where the two do not say the same.
std::vector<HbaName> with_quotes(std::vector<std::string> const& words, HbaRecord const* record, std::size_t field) {
    std::vector<HbaName> names;
    for (auto const& word : words) names.push_back({word, Quoting::unknown});
    if (record == nullptr || record->fields.size() <= field) return names;
    auto const& in_text = record->fields[field];
    if (!std::ranges::equal(in_text, words, {}, &HbaWord::text)) return names;
    for (std::size_t at = 0; at < names.size(); ++at) names[at].quoting = in_text[at].is_quoted ? Quoting::quoted : Quoting::bare;
    return names;
}

HbaLine line_of(Rows::Row const& row, HbaRecord const* record) {
    HbaLine line{number_of(row[9]), row[2].value_or(""), with_quotes(names_of(row[3]), record, 1), with_quotes(names_of(row[4]), record, 2), {},
                 row[6].value_or(""), row[7].value_or(""), names_of(row[8])};
    line.address = with_quotes({row[5].value_or("")}, record, 3)[0];
    return line;
}

// Without types it is no line but a fault; with one the fault is a warning: hostssl where the server has no TLS.
bool is_fault(Rows::Row const& row) { return !row[1]->empty() && !row[2]; }

// Of the same file, to more than a second; nothing where it is another one, or not to be seen.
std::optional<double> exact_change(std::string const& path, double change, std::string const& size) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0 || std::to_string(found.st_size) != size) return {};
    if (static_cast<double>(found.st_ctim.tv_sec) != change) return {};
    return change + static_cast<double>(found.st_ctim.tv_nsec) / 1e9;
}

}  // namespace

std::vector<std::string> names_of(std::optional<std::string> const& json_of_hex) {
    std::vector<std::string> names;
    if (!json_of_hex) return names;
    for (auto const& name : nlohmann::json::parse(*json_of_hex)) names.push_back(from_hex(name.get<std::string>()));
    return names;
}

Status HbaRules::read(Session& session, double load_time, bool may_look, Deadline deadline) {
    bool const was_loaded = load_time != load_time_;
    if (!was_loaded && seen_.is_settled) {
        PGTANDEM_TRY(now, stamp(session, may_look, deadline));
        if (now.text == seen_.text) return {};
    }
    PGTANDEM_TRY(found, look(session, deadline));
    // After the look: what was changed meanwhile counts as changed.
    PGTANDEM_TRY(now, stamp(session, may_look, deadline));
    found.load_time = load_time;
    found.changed_at = now.changed_at;
    if (!was_loaded) {
        auto const faults = session.query(conf_fault_query, deadline);
        found.may_have_loaded_unseen = !faults || faults->value() != "0";
    }
    loaded_.take(std::move(found));
    load_time_ = load_time;
    seen_ = std::move(now);
    return {};
}

Status HbaRules::check() const {
    if (!candidates().empty()) return {};
    if (!fault_.empty()) return fail("reading pg_hba.conf", "", fault_, "mend it, then SELECT pg_reload_conf()");
    return fail("reading pg_hba.conf", "", "it was changed after the server loaded it: which lines are in effect is not known",
                "SELECT pg_reload_conf()");
}

Result<HbaLook> HbaRules::look(Session& session, Deadline deadline) {
    PGTANDEM_TRY(main_file, session.query(path_query, deadline));
    auto const major = session.server_version() / 10000;
    bool const has_files = major >= 16;
    auto const query = fmt::format(fmt::runtime(lines_query), fmt::arg("number", has_files ? "rule_number" : "line_number"),
                                   fmt::arg("file", has_files ? "file_name" : "pg_catalog.current_setting('hba_file')"));
    HbaLook found;
    auto const rows = session.query(query, deadline);
    if (!rows && !session.usable()) return fail(rows.error());
    std::optional<Error> unreadable;
    auto const keep = [&](Error const& error) {
        if (error.sqlstate != no_such_file && !unreadable) unreadable = error;
    };
    HbaFiles const files{[&](std::string const& path) -> std::optional<std::string> {
                             auto const text = session.query(text_query, {path}, deadline);
                             if (!text) keep(text.error());
                             return text ? std::optional(from_hex(text->value())) : std::nullopt;
                         },
                         [&](std::string const& folder) {
                             std::vector<std::string> names;
                             auto const listed = session.query(list_query, {folder}, deadline);
                             if (!listed) keep(listed.error());
                             else for (auto const& row : *listed) names.push_back(from_hex(row[0].value_or("")));
                             return names;
                         }};
    auto const text = read_hba_text(main_file.value(), major, files);
    paths_ = text.paths;
    if (unreadable) return fail(std::move(*unreadable));
    fault_ = rows ? (rows->empty() ? "it has no lines" : "") : rows.error().line();
    if (!fault_.empty()) return found;
    HbaLines lines;
    for (auto const& row : *rows) {
        if (is_fault(row)) {
            fault_ = fmt::format("line {}: {}", row[9].value_or("?"), *row[1]);
            return found;
        }
        auto const is_same = [&](auto const& record) { return record.line == number_of(row[9]) && record.file == row[10]; };
        auto const record = std::ranges::find_if(text.records, is_same);
        lines.push_back(line_of(row, record == text.records.end() ? nullptr : &*record));
    }
    found.lines = std::move(lines);
    return found;
}

Result<HbaRules::Stamp> HbaRules::stamp(Session& session, bool may_look, Deadline deadline) const {
    auto list = nlohmann::json::array();
    for (auto const& path : paths_) {
        list.push_back(path);
        list.push_back(std::filesystem::path(path).parent_path().string());
    }
    PGTANDEM_TRY(rows, session.query(stamp_query, {list.dump()}, deadline));
    Stamp stamp;
    bool is_missing = false;
    double now = 0;
    for (auto row = rows.begin(); row != rows.end(); ++row) {
        bool const is_folder = (row - rows.begin()) % 2 == 1;
        now = seconds_of(row->at(4));
        if (!is_folder) is_missing = row->at(3) == "t";
        // A folder changes with every file in it: it counts for one that is missing only.
        if (is_folder != is_missing) continue;
        auto const change = seconds_of(row->at(1));
        auto const exact = may_look ? exact_change(row->at(0).value_or(""), change, row->at(2).value_or("")) : std::nullopt;
        stamp.changed_at = std::max(stamp.changed_at, exact ? *exact : change + second);
        stamp.text += fmt::format("{} {:.9f} {}\n", row->at(0).value_or(""), exact.value_or(change), row->at(2).value_or(""));
    }
    stamp.is_settled = !rows.empty() && stamp.changed_at + clock_tick_s <= now;
    return stamp;
}

}  // namespace pgtandem::proxy
