#include "proxy/fence.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "base/text.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto pause_between = std::chrono::microseconds(100);
constexpr char const* snapshot_query = "SELECT pg_catalog.pg_current_snapshot()";

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

Result<Snapshot> snapshot_of(Session& session, Deadline deadline) {
    PGTANDEM_TRY(rows, session.query(snapshot_query, deadline));
    auto const snapshot = parse_snapshot(rows.value());
    if (!snapshot) return fail("reading a snapshot", "", "the server gave none");
    return *snapshot;
}

// Of these, the ones that the replica shows as committed.
Result<std::vector<std::uint64_t>> committed_on(Session& replica, std::vector<std::uint64_t> const& asked, Deadline deadline) {
    auto const text = fmt::format(
        "SELECT x FROM pg_catalog.unnest('{{{}}}'::pg_catalog.xid8[]) AS x "
        "WHERE x < pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) AND pg_catalog.pg_xact_status(x) = 'committed'",
        fmt::join(asked, ","));
    PGTANDEM_TRY(rows, replica.query(text, deadline));
    std::vector<std::uint64_t> found;
    for (auto const& row : rows) {
        if (auto const number = number_of(row[0].value_or(""))) found.push_back(*number);
    }
    return found;
}

bool is_any_running(std::vector<std::uint64_t> const& asked, Snapshot const& snapshot) {
    return std::ranges::any_of(asked, [&](auto xid) { return xid >= snapshot.xmax || std::ranges::find(snapshot.xip, xid) != snapshot.xip.end(); });
}

}  // namespace

std::optional<Snapshot> parse_snapshot(std::string_view text) {
    auto const parts = split(text, ':');
    if (parts.size() != 3) return std::nullopt;
    auto const xmax = number_of(parts[1]);
    if (!xmax) return std::nullopt;
    Snapshot snapshot{*xmax};
    if (parts[2].empty()) return snapshot;
    for (auto const& word : split(parts[2], ',')) {
        auto const xid = number_of(word);
        if (!xid) return std::nullopt;
        snapshot.xip.push_back(*xid);
    }
    return snapshot;
}

std::vector<std::uint64_t> behind(Snapshot const& primary, std::uint64_t replica_xmax) {
    std::vector<std::uint64_t> found;
    std::ranges::copy_if(primary.xip, std::back_inserter(found), [&](auto xid) { return xid < replica_xmax; });
    return found;
}

Status fence(Session& replica, Session& primary, Deadline deadline) {
    PGTANDEM_TRY(shown, snapshot_of(replica, deadline));
    PGTANDEM_TRY(present, snapshot_of(primary, deadline));
    while (present.xmax < shown.xmax && !deadline.passed()) {
        std::this_thread::sleep_for(pause_between);
        PGTANDEM_TRY(again, snapshot_of(primary, deadline));
        present = again;
    }
    auto waited_for = behind(present, shown.xmax);
    if (!waited_for.empty()) {
        PGTANDEM_TRY(committed, committed_on(replica, waited_for, deadline));
        waited_for = committed;
    }
    while (is_any_running(waited_for, present) && !deadline.passed()) {
        std::this_thread::sleep_for(pause_between);
        PGTANDEM_TRY(again, snapshot_of(primary, deadline));
        present = again;
    }
    if (present.xmax < shown.xmax || is_any_running(waited_for, present)) {
        return fail("waiting for the primary to show what a replica shows", "", "it took too long");
    }
    return {};
}

}  // namespace pgtandem::proxy
