#include "proxy/reported.hpp"

#include <algorithm>

#include "wire/backend.hpp"

namespace pgtandem::proxy {

namespace {

// Sets of values that nobody uses are forgotten when there are more than this.
constexpr std::size_t most_known = 4096;

auto find(Reported const& reported, std::string_view name) {
    return std::ranges::find_if(reported, [&](auto const& entry) { return entry.first == name; });
}

}  // namespace

void set_value(Reported& reported, std::string_view name, std::string_view value) {
    for (auto& [known, current] : reported) {
        if (known != name) continue;
        current = value;
        return;
    }
    reported.emplace_back(name, value);
}

ReportedRef ReportedRegistry::intern(Reported reported) {
    auto const made = std::make_shared<Reported const>(std::move(reported));
    if (known_.size() >= most_known) std::erase_if(known_, [](auto const& known) { return known.use_count() == 1; });
    return *known_.insert(made).first;
}

ReportedRef ReportedRegistry::with(ReportedRef const& before, std::string_view name, std::string_view value) {
    auto after = before ? *before : Reported();
    set_value(after, name, value);
    if (before && after == *before) return before;
    return intern(std::move(after));
}

void write_differences(ByteBuffer& out, ReportedRef const& seen, ReportedRef const& present) {
    if (seen == present || !present) return;
    for (auto const& [name, value] : *present) {
        bool const is_same = seen && find(*seen, name) != seen->end() && value_of(seen, name) == value;
        if (!is_same) wire::ParameterStatus{name, value}.write(out);
    }
}

std::string_view value_of(ReportedRef const& reported, std::string_view name) {
    if (!reported) return {};
    auto const found = find(*reported, name);
    return found == reported->end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace pgtandem::proxy
