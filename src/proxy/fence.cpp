#include "proxy/fence.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "proxy/probe_queries.hpp"

namespace pgtandem::proxy {

namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

bool Snapshot::shows_end_of(std::uint64_t xid) const { return xid < xmax && std::ranges::find(xip, xid) == xip.end(); }

std::optional<std::vector<std::uint64_t>> parse_xids(std::string_view text) {
    std::vector<std::uint64_t> xids;
    if (text.empty()) return xids;
    for (auto const& word : split(text, ',')) {
        auto const xid = number_of(word);
        if (!xid) return std::nullopt;
        xids.push_back(*xid);
    }
    return xids;
}

std::optional<Snapshot> parse_snapshot(std::string_view text) {
    auto const parts = split(text, ':');
    if (parts.size() != 3) return std::nullopt;
    auto const xmax = number_of(parts[1]);
    auto xip = parse_xids(parts[2]);
    if (!xmax || !xip) return std::nullopt;
    return Snapshot{*xmax, std::move(*xip)};
}

void Fence::begin(std::uint64_t covers, std::uint64_t ticket) {
    covers_ = covers;
    begin_again(ticket);
}

void Fence::begin_again(std::uint64_t ticket) {
    step_ = Step::wants_answer;
    ticket_ = ticket;
    awaited_.clear();
}

std::string Fence::question(Snapshot const& primary) {
    asked_up_to_ = primary.xmax + fence_reach;
    return fmt::format("'{{{}}}', {}", fmt::join(primary.xip, ","), primary.xmax);
}

void Fence::take_answer(std::uint64_t replica_xmax, std::vector<std::uint64_t> committed) {
    // So much has happened since the snapshot that not all of it was asked for: once more with a newer one.
    if (replica_xmax > asked_up_to_) return;
    awaited_ = std::move(committed);
    step_ = awaited_.empty() ? Step::idle : Step::wants_end;
}

void Fence::take_end(Snapshot const& primary) {
    std::erase_if(awaited_, [&](auto xid) { return primary.shows_end_of(xid); });
    if (awaited_.empty()) step_ = Step::idle;
}

}  // namespace pgtandem::proxy
