#include "proxy/prepared.hpp"

namespace pgtandem::proxy {

namespace {

std::string key_of(std::uint64_t epoch, std::string_view text, std::string_view types) {
    std::string key;
    key.reserve(types.size() + text.size() + 24);
    key.append(std::to_string(epoch)).append(1, '\0').append(std::to_string(types.size())).append(1, '\0').append(types).append(text);
    return key;
}

}  // namespace

PreparedRef PreparedRegistry::find(std::uint64_t epoch, std::string_view text, std::string_view types) const {
    auto const found = entries_.find(key_of(epoch, text, types));
    auto const known = found == entries_.end() ? nullptr : found->second.lock();
    return known && !known->is_outdated ? known : nullptr;
}

PreparedRef PreparedRegistry::add(PreparedStatement statement) {
    if (entries_.size() >= forget_at_) forget_unused();
    statement.id = ++last_id_;
    auto const made = std::make_shared<PreparedStatement const>(std::move(statement));
    entries_[key_of(made->epoch, made->text, made->types)] = made;
    return made;
}

void PreparedRegistry::forget_unused() {
    std::erase_if(entries_, [](auto const& entry) { return entry.second.expired(); });
    forget_at_ = std::max<std::size_t>(1024, 2 * entries_.size());
}

bool PreparedOnBackend::use(std::uint64_t id) {
    auto const found = places_.find(id);
    if (found == places_.end()) return false;
    order_.splice(order_.begin(), order_, found->second);
    return true;
}

void PreparedOnBackend::add(PreparedRef const& statement) {
    if (use(statement->id)) return;
    order_.push_front(statement);
    places_[statement->id] = order_.begin();
}

void PreparedOnBackend::remove(std::uint64_t id) {
    auto const found = places_.find(id);
    if (found == places_.end()) return;
    order_.erase(found->second);
    places_.erase(found);
}

void PreparedOnBackend::clear() {
    places_.clear();
    order_.clear();
}

}  // namespace pgtandem::proxy
