#include "proxy/portals.hpp"

#include <algorithm>
#include <cassert>

namespace pgtandem::proxy {

void Portals::bind(std::string_view name, PreparedRef statement, std::uint64_t since, std::size_t savepoints) {
    auto run = statement && statement->own ? std::make_shared<OwnRun>() : nullptr;
    Portal portal{std::move(statement), std::move(run), since, savepoints};
    if (name.empty()) {
        unnamed_ = std::move(portal);
        return;
    }
    if (!named_) named_ = std::make_unique<decltype(named_)::element_type>();
    (*named_)[std::string(name.substr(0, name_length_max))] = std::move(portal);
}

void Portals::unbind(std::string_view name) {
    if (name.empty()) unnamed_ = {};
    else if (named_) named_->erase(std::string(name.substr(0, name_length_max)));
}

PreparedRef Portals::bound(std::string_view name) const {
    if (name.empty()) return unnamed_.statement;
    if (!named_) return nullptr;
    auto const found = named_->find(name.substr(0, name_length_max));
    return found == named_->end() ? nullptr : found->second.statement;
}

OwnRun& Portals::run_of(std::string_view name) {
    auto const& portal = name.empty() ? unnamed_ : named_->find(name.substr(0, name_length_max))->second;
    assert(portal.run);
    return *portal.run;
}

void Portals::end_all() {
    unnamed_ = {};
    named_.reset();
}

void Portals::end_if(std::function<bool(Portal const&)> const& ends) {
    if (ends(unnamed_)) unnamed_ = {};
    if (named_) std::erase_if(*named_, [&](auto const& entry) { return ends(entry.second); });
}

void Portals::end_before(std::uint64_t sent) {
    end_if([&](Portal const& portal) { return portal.since < sent; });
}

void Portals::rolled_back(std::size_t savepoints) {
    end_if([&](Portal const& portal) { return portal.savepoints >= savepoints; });
}

void Portals::released(std::size_t savepoints) {
    unnamed_.savepoints = std::min(unnamed_.savepoints, savepoints);
    if (!named_) return;
    for (auto& [name, portal] : *named_) portal.savepoints = std::min(portal.savepoints, savepoints);
}

}  // namespace pgtandem::proxy
