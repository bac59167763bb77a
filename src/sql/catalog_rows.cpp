#include "sql/catalog_rows.hpp"

#include <charconv>

#include "base/text.hpp"

namespace pgtandem::sql {

namespace {

std::optional<std::size_t> mode_index(char letter) {
    auto const index = std::string_view("rwi").find(letter);
    return index == std::string_view::npos ? std::nullopt : std::optional(index);
}

// "0 255 v name"
std::optional<CatalogRows::Routine> read_routine(std::string const& schema, std::string_view line) {
    CatalogRows::Routine routine{.schema = schema, .name = {}, .args_min = 0, .args_max = 0, .is_volatile = true};
    for (auto* const number : {&routine.args_min, &routine.args_max}) {
        auto const [end, error] = std::from_chars(line.data(), line.data() + line.size(), *number);
        if (error != std::errc() || end == line.data() + line.size() || *end != ' ') return std::nullopt;
        line.remove_prefix(static_cast<std::size_t>(end - line.data()) + 1);
    }
    if (line.size() < 2 || line[1] != ' ') return std::nullopt;
    routine.is_volatile = line[0] == 'v';
    routine.name = line.substr(2);
    return routine;
}

std::vector<std::string> lines_of(std::string const& text) {
    return text.empty() ? std::vector<std::string>{} : split(text, '\n');
}

}  // namespace

Status CatalogRows::add(Row const& row) {
    if (row.size() != 4 || !row[0]) return fail("reading the catalog", "a row of the facts", "it has not four columns");
    auto const text = [&](std::size_t column) { return row[column].value_or(""); };
    auto const& kind = *row[0];
    if (kind == "function")
        volatile_functions.push_back(text(1));
    else if (kind == "body")
        bodies.emplace(text(1), read_code(text(3), false));
    else if (kind == "code")
        code.emplace(text(1), read_code(text(3), row[2].has_value()));
    else if (kind == "calls")
        calls.emplace_back(text(1), text(2));
    else if (kind == "relation")
        relations.push_back({text(1), text(2), text(3) == "identity", text(3) == "view"});
    else if (kind == "locks")
        locking_views.insert(text(1));
    else if (kind == "operator")
        operators.emplace_back(text(1), text(2));
    else if (kind == "anywhere")
        anywhere.insert(text(1));
    else if (kind == "on_ddl")
        on_ddl.insert(text(1));
    else if (kind == "on_login")
        on_login.insert(text(1));
    else if (kind == "uses" || kind == "edge")
        return add_link(kind, text(1), text(2), text(3));
    else if (kind == "routines" || kind == "relations" || kind == "operators")
        return add_listed(kind, text(1), text(3));
    else
        return fail("reading the catalog", kind, "unknown kind of row");
    return {};
}

FunctionCode CatalogRows::read_code(std::string const& text, bool is_foreign) {
    code_bytes_ += text.size();
    if (code_bytes_ > code_bytes_max) return unread_code();
    return is_foreign ? read_foreign_code(text) : read_function_code(text);
}

Status CatalogRows::add_link(std::string const& kind, std::string from, std::string to, std::string const& modes) {
    auto const first = modes.empty() ? std::nullopt : mode_index(modes.front());
    auto const last = modes.empty() ? std::nullopt : mode_index(modes.back());
    if (!first || !last)
        return fail("reading the catalog", kind, "unknown way of touching a relation: '" + modes + "'");
    if (kind == "uses")
        uses.push_back({std::move(from), std::move(to), *first});
    else
        edges.push_back({std::move(from), std::move(to), *first, *last});
    return {};
}

Status CatalogRows::add_listed(std::string const& kind, std::string const& subject, std::string const& detail) {
    for (auto& line : lines_of(detail)) {
        if (kind == "routines") {
            auto routine = read_routine(subject, line);
            if (!routine) return fail("reading the catalog", kind, "not a routine: '" + line + "'");
            routines.push_back(std::move(*routine));
        } else if (kind == "relations") {
            auto const space = line.find(' ');  // "16384r name"
            if (space < 2 || space == std::string::npos)
                return fail("reading the catalog", kind, "not a relation: '" + line + "'");
            relation_names.push_back({subject, line.substr(space + 1), line.substr(0, space - 1), line[space - 1]});
        } else {
            operator_symbols.push_back(std::move(line));
        }
    }
    return {};
}

}  // namespace pgtandem::sql
