#include "proxy/first_path.hpp"

#include <utility>

namespace pgtandem::proxy {

bool FirstPath::must_ask(Routing const& routing) const {
    auto const* const primary = routing.primary();
    return asked_ == nullptr && primary != nullptr && primary->configured_at != configured_at_;
}

void FirstPath::begin_asking(Backend const& backend, Routing const& routing) {
    asked_ = &backend;
    configured_at_ = routing.primary()->configured_at;
    known_at_ = 0;
}

void FirstPath::take(std::optional<std::string> told) {
    asked_ = nullptr;
    known_at_ = 0;
    told_ = told ? std::make_shared<std::string const>(std::move(*told)) : nullptr;
}

void FirstPath::give_up() {
    take(std::nullopt);
    configured_at_.clear();
}

FirstPath::Value const& FirstPath::value(Routing const& routing) {
    if (std::exchange(known_at_, routing.version) == routing.version) return value_;
    auto const* const primary = routing.primary();
    bool const holds = primary != nullptr && primary->configured_at == configured_at_ && asked_ == nullptr && routing.agrees_on_path();
    value_ = holds ? told_ : nullptr;
    return value_;
}

}  // namespace pgtandem::proxy
