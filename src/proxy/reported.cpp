#include "proxy/reported.hpp"

#include <algorithm>

#include "sql/lexer.hpp"
#include "wire/backend.hpp"

namespace pgtandem::proxy {

namespace {

std::string const* find(Reported const& reported, std::string_view name) {
    auto const found = std::ranges::find(reported, name, [](auto const& entry) -> std::string_view { return entry.first; });
    return found == reported.end() ? nullptr : &found->second;
}

std::string_view found_in(Reported const& reported, std::string_view name) {
    auto const* const value = find(reported, name);
    return value == nullptr ? std::string_view() : *value;
}

}  // namespace

SharedReported::SharedReported(Reported reported)
    : values(std::move(reported)),
      strings_conform(found_in(values, "standard_conforming_strings") != "off"),
      can_be_read(sql::is_safe_to_lex(found_in(values, "client_encoding"))) {}

void set_value(Reported& reported, std::string_view name, std::string_view value) {
    for (auto& [known, current] : reported) {
        if (known != name) continue;
        current = value;
        return;
    }
    reported.emplace_back(name, value);
}

ReportedRef ReportedRegistry::intern(Reported reported) {
    return known_.get(SharedReported(std::move(reported)));
}

ReportedRef ReportedRegistry::with(ReportedRef const& before, std::string_view name, std::string_view value) {
    auto after = before ? before->values : Reported();
    set_value(after, name, value);
    if (before && after == before->values) return before;
    return intern(std::move(after));
}

void write_differences(ByteBuffer& out, ReportedRef const& seen, ReportedRef const& present) {
    if (seen == present || !present) return;
    for (auto const& [name, value] : present->values) {
        auto const* const before = seen ? find(seen->values, name) : nullptr;
        if (before == nullptr || *before != value) wire::ParameterStatus{name, value}.write(out);
    }
}

std::string_view value_of(ReportedRef const& reported, std::string_view name) {
    return reported ? found_in(reported->values, name) : std::string_view();
}

}  // namespace pgtandem::proxy
