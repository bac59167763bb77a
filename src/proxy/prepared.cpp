#include "proxy/prepared.hpp"

#include <algorithm>
#include <functional>

#include "wire/framing.hpp"

namespace pgtandem::proxy {

namespace {

constexpr std::size_t forget_at_least = 1024;

std::uint16_t load_uint16(char const* bytes) {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[0]) << 8 | static_cast<unsigned char>(bytes[1]));
}

}  // namespace

// Behind each name: the table's object id and the column's number, which may differ, the type, its size, its modifier, the format.
std::optional<std::string> description_of_columns(std::string_view body) {
    constexpr std::size_t before_type = 6;
    constexpr std::size_t behind_name = 18;
    if (body.size() < 2) return std::nullopt;
    std::size_t const count = load_uint16(body.data());
    std::string columns;
    body.remove_prefix(2);
    for (std::size_t at = 0; at < count; ++at) {
        auto const end = body.find('\0');
        if (end == body.npos || body.size() < end + 1 + behind_name) return std::nullopt;
        columns.append(body.substr(0, end + 1)).append(body.substr(end + 1 + before_type, 4)).append(body.substr(end + 1 + before_type + 6, 4));
        body.remove_prefix(end + 1 + behind_name);
    }
    return body.empty() ? std::optional(columns) : std::nullopt;
}

PreparedRef const& unknown_statement() {
    static auto const unknown = std::make_shared<PreparedStatement const>();
    return unknown;
}

std::size_t PreparedRegistry::hash_of(std::uint64_t epoch, std::string_view text, std::string_view types, SettingsRef const& settings) {
    std::hash<std::string_view> const hash;
    auto const mix = [](std::size_t all, std::size_t one) { return all * 1099511628211U ^ one; };
    return mix(mix(mix(hash(text), hash(types)), static_cast<std::size_t>(epoch)), std::hash<void const*>()(settings.get()));
}

PreparedRef PreparedRegistry::find(std::uint64_t epoch, std::string_view text, std::string_view types, SettingsRef const& settings) const {
    auto const [begin, end] = entries_.equal_range(hash_of(epoch, text, types, settings));
    for (auto place = begin; place != end; ++place) {
        auto const known = place->second.lock();
        bool const is_it = known && !known->is_outdated && known->epoch == epoch && known->text == text && known->types == types && known->settings == settings;
        if (is_it) return known;
    }
    return nullptr;
}

PreparedRef make_prepared(PreparedStatement statement, MemoryUse& memory) {
    auto const bytes = statement.bytes();
    PreparedRef made(new PreparedStatement(std::move(statement)), [&memory, bytes](PreparedStatement const* held) {
        memory.remove(MemoryFor::statements, bytes);
        delete held;
    });
    memory.add(MemoryFor::statements, bytes);
    return made;
}

PreparedRef PreparedRegistry::add(PreparedStatement statement, MemoryUse& memory) {
    if (entries_.size() >= forget_at_) forget_unused();
    if (auto const present = find(statement.epoch, statement.text, statement.types, statement.settings)) present->is_outdated = true;
    auto const made = make_prepared(std::move(statement), memory);
    entries_.emplace(hash_of(made->epoch, made->text, made->types, made->settings), made);
    return made;
}

void PreparedRegistry::forget_unused() {
    std::erase_if(entries_, [](auto const& entry) { return entry.second.expired(); });
    forget_at_ = std::max(forget_at_least, 2 * entries_.size());
}

PreparedOnBackend::Entry* PreparedOnBackend::use(PreparedRef const& statement) {
    if (!order_.empty() && order_.front().statement == statement) return &order_.front();
    auto const found = places_.find(statement.get());
    if (found == places_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return &*found->second;
}

void PreparedOnBackend::add(Entry entry) {
    remove(entry.statement);
    bytes_ += entry.statement->bytes();
    order_.push_front(std::move(entry));
    places_[order_.front().statement.get()] = order_.begin();
}

std::optional<PreparedOnBackend::Entry> PreparedOnBackend::remove(PreparedRef const& statement) {
    auto const found = places_.find(statement.get());
    if (found == places_.end()) return std::nullopt;
    auto entry = *found->second;
    erase(found->second);
    return entry;
}

void PreparedOnBackend::remove_name(std::string_view server_name) {
    auto const found = std::ranges::find(order_, server_name, &Entry::server_name);
    if (found != order_.end()) erase(found);
}

void PreparedOnBackend::erase(Order::iterator place) {
    bytes_ -= place->statement->bytes();
    places_.erase(place->statement.get());
    order_.erase(place);
}

void PreparedOnBackend::clear() {
    places_.clear();
    order_.clear();
    bytes_ = 0;
}

}  // namespace pgtandem::proxy
