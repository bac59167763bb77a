#include "proxy/shared.hpp"

#include "proxy/worker.hpp"

#include "wire/scram_crypto.hpp"

namespace pgtandem::proxy {

namespace {

// PostgreSQL's own patience (CountOtherDBBackends).
constexpr auto clearing_patience = 5s;

void change(std::map<std::string, std::size_t>& counts, std::string const& name, int by) {
    auto& count = counts[name];
    count += static_cast<std::size_t>(by);
    if (count == 0) counts.erase(name);
}

std::size_t count_of(std::map<std::string, std::size_t> const& counts, std::string const& name) {
    auto const found = counts.find(name);
    return found == counts.end() ? 0 : found->second;
}

}  // namespace

void CancelRegistry::add(std::uint32_t process_id, std::string const& key, Target target) {
    std::lock_guard const guard(mutex_);
    entries_[process_id].emplace_back(key, target);
}

void CancelRegistry::remove(std::uint32_t process_id, std::string const& key) {
    std::lock_guard const guard(mutex_);
    auto const found = entries_.find(process_id);
    if (found == entries_.end()) return;
    std::erase_if(found->second, [&](auto const& entry) { return entry.first == key; });
    if (found->second.empty()) entries_.erase(found);
}

CancelRegistry::Target CancelRegistry::find(std::uint32_t process_id, std::string const& key) const {
    std::lock_guard const guard(mutex_);
    Target target{nullptr, 0};
    auto const found = entries_.find(process_id);
    if (found == entries_.end()) return target;
    for (auto const& [known, owner] : found->second) {
        if (wire::are_equal_secrets(known, key)) target = owner;
    }
    return target;
}

void ClientCounts::add(std::string const& user, std::string const& database, int by) {
    std::lock_guard const guard(mutex_);
    change(users_, user, by);
    change(databases_, database, by);
    all_ += static_cast<std::size_t>(by);
}

std::pair<std::size_t, std::size_t> ClientCounts::of(std::string const& user, std::string const& database) const {
    std::lock_guard const guard(mutex_);
    return {count_of(users_, user), count_of(databases_, database)};
}

std::size_t ClientCounts::all() const {
    std::lock_guard const guard(mutex_);
    return all_;
}

void Clearings::begin(std::string const& database) {
    std::lock_guard const guard(mutex_);
    auto const now = Clock::now();
    std::erase_if(until_, [&](auto const& entry) { return entry.second < now; });
    until_[database] = now + clearing_patience;
}

bool Clearings::is_under_way(std::string const& database) const {
    std::lock_guard const guard(mutex_);
    auto const found = until_.find(database);
    return found != until_.end() && found->second >= Clock::now();
}

void Shared::clear(std::string const& database) {
    clearings.begin(database);
    leave_unless_used(database);
}

void Shared::client_left(std::string const& user, std::string const& database) {
    counts.add(user, database, -1);
    if (clearings.is_under_way(database)) leave_unless_used(database);
}

void Shared::leave_unless_used(std::string const& database) const {
    if (leave && counts.of("", database).second == 0) leave(database);
}

void Shared::cancel(std::uint32_t process_id, std::string const& key, std::function<void()> delivered) const {
    auto const target = cancels.find(process_id, key);
    if (target.worker != nullptr) {
        target.worker->loop().post(
            [worker = target.worker, id = target.session, delivered = std::move(delivered)] { worker->cancel_session(id, delivered); });
        return;
    }
    if (cancel_elsewhere) cancel_elsewhere(process_id, key, std::move(delivered));
    else delivered();
}

}  // namespace pgtandem::proxy
