#include "proxy/reported.hpp"

#include "wire/backend.hpp"

namespace pgtandem::proxy {

namespace {

// Sets of values that nobody uses are forgotten when there are more than this.
constexpr std::size_t most_known = 4096;

}  // namespace

ReportedRef ReportedRegistry::intern(Reported reported) {
    auto const made = std::make_shared<Reported const>(std::move(reported));
    if (known_.size() >= most_known) std::erase_if(known_, [](auto const& known) { return known.use_count() == 1; });
    return *known_.insert(made).first;
}

ReportedRef ReportedRegistry::with(ReportedRef const& before, std::string_view name, std::string_view value) {
    if (value_of(before, name) == value && before && before->contains(name)) return before;
    auto after = before ? *before : Reported();
    after[std::string(name)] = value;
    return intern(std::move(after));
}

void write_differences(ByteBuffer& out, ReportedRef const& seen, ReportedRef const& present) {
    if (seen == present || !present) return;
    for (auto const& [name, value] : *present) {
        auto const before = seen ? seen->find(name) : present->end();
        bool const is_same = seen && before != seen->end() && before->second == value;
        if (!is_same) wire::ParameterStatus{name, value}.write(out);
    }
}

std::string_view value_of(ReportedRef const& reported, std::string_view name) {
    if (!reported) return {};
    auto const found = reported->find(name);
    return found == reported->end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace pgtandem::proxy
