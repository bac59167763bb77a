// A worker's clients: taking them in, asking about them, cancelling for them.
#include <algorithm>

#include "base/random.hpp"
#include "io/descriptors.hpp"
#include "proxy/cancel_sender.hpp"
#include "proxy/worker.hpp"

namespace pgtandem::proxy {

namespace {

// A cancel key has 4 bytes, from protocol 3.2 on up to 256.
constexpr std::size_t short_key = 4;
constexpr std::size_t long_key = 32;
// Of the statements looked at, in SHOW ROUTES.
constexpr std::size_t most_shown = 20;
constexpr std::size_t console_places = 64;

}  // namespace

std::atomic<std::uint64_t> Worker::last_session_id{0};

void Worker::accept(UniqueFd connected, Target target) {
    // The last descriptors are for what keeps the cluster running; then there is no time for words either.
    if (io::is_kept_back(connected.get())) return make_place_for_a_newcomer();
    auto const id = ++last_session_id;
    auto const origin = origin_of(connected.get());
    auto session = std::make_unique<ClientSession>(*this, std::move(connected), target, id);
    auto* const made = session.get();
    sessions_[id] = std::move(session);
    auto const all = ++shared_.connected;
    // One that cannot be taken in is told so before it costs much. The places that are left are for the console.
    auto const most = std::min(settings_->client_connections, shared_.most_clients - std::min(console_places, shared_.most_clients / 8));
    if (shared_.counts.all() >= most) made->refuse();
    newcomers_.add(id, origin);
    if (newcomers_.size() > share(shared_.most_newcomers) || all > shared_.most_clients) make_place_for_a_newcomer();
    made->start();
}

void Worker::make_place_for_a_newcomer() {
    auto const gone = newcomers_.first_to_go();
    if (!gone) return;
    newcomers_.remove(*gone);
    sessions_.at(*gone)->make_way(make_error("FATAL", "53300", "sorry, too many clients already", "Too many have not logged in yet."));
}

ClientSession* Worker::find_session(std::uint64_t id) const {
    auto const found = sessions_.find(id);
    return found == sessions_.end() ? nullptr : found->second.get();
}

void Worker::bury(ClientSession& session) {
    auto const found = sessions_.find(session.id());
    if (found == sessions_.end()) return;
    newcomers_.remove(session.id());
    dead_sessions_.push_back(std::move(found->second));
    sessions_.erase(found);
    --shared_.connected;
    empty_grave();
}

void Worker::ask_login_desk(LoginQuestion const& question, ClientSession& session, std::function<void(Result<LoginFacts>)> answer) {
    auto const id = session.id();
    questions_[id] = std::move(answer);
    shared_.desk.ask(id, question, [this, mailbox = mailbox_, id](Result<LoginFacts> facts) {
        mailbox->post([this, id, facts = std::move(facts)]() mutable {
            auto const found = questions_.find(id);
            if (found == questions_.end()) return;  // the client has gone
            auto const waiting = std::move(found->second);
            questions_.erase(found);
            waiting(std::move(facts));
        });
    });
}

void Worker::ask_console(std::string text, ConsoleRight right, ClientSession& session, ConsoleRunner::Answer answer) {
    auto const id = session.id();
    shared_.console.run(std::move(text), right, [this, mailbox = mailbox_, id, answer = std::move(answer)](Result<ConsoleAnswer> given) {
        mailbox->post([this, id, answer, given = std::move(given)]() mutable {
            if (sessions_.contains(id)) answer(std::move(given));
        });
    });
}

void Worker::count(ClientSession& session) {
    newcomers_.remove(session.id());
    shared_.counts.add(session.user(), session.database(), 1);
}

std::pair<std::size_t, std::size_t> Worker::client_counts(std::string const& user, std::string const& database) const {
    return shared_.counts.of(user, database);
}

void Worker::register_for_cancel(ClientSession& session, std::uint16_t minor_version, Backend const* backend,
                                 std::uint32_t& process_id, std::string& key) {
    key = random_bytes(minor_version >= 2 ? long_key : short_key);
    process_id = backend != nullptr ? backend->process_id() : static_cast<std::uint32_t>(session.id() & 0x7fffffff);
    shared_.cancels.add(process_id, key, {this, session.id()});
}

void Worker::unregister(ClientSession& session) {
    if (!session.cancel_key().empty()) shared_.cancels.remove(session.told_process_id(), session.cancel_key());
    if (session.is_counted()) shared_.client_left(session.user(), session.database());
}

void Worker::cancel(std::uint32_t process_id, std::string const& key, ClientSession& requester, std::function<void()> delivered) {
    shared_.cancel(process_id, key, [this, mailbox = mailbox_, id = requester.id(), delivered = std::move(delivered)] {
        mailbox->post([this, id, delivered] {
            auto const found = sessions_.find(id);
            if (found == sessions_.end()) return;
            delivered();
            found->second->wake_up();
        });
    });
}

void Worker::cancel_session(std::uint64_t id, std::function<void()> delivered) {
    auto const found = sessions_.find(id);
    if (found == sessions_.end()) return delivered();
    found->second->cancel(std::move(delivered));
}

void Worker::cancel_on_server(Backend& backend, Pool& pool, std::function<void()> delivered) {
    ++backend.cancels_under_way;
    ++pool.sessions;  // keeps the pool until the cancel request is done
    cancel_senders_.push_back(std::make_unique<CancelSender>(
        *loop_, backend.server(), backend.process_id(), backend.cancel_key(),
        [this, &pool, id = backend.id, delivered = std::move(delivered)] {
            cancel_was_sent(pool, id);
            if (delivered) delivered();
        }));
}

void Worker::cancel_was_sent(Pool& pool, std::uint64_t backend_id) {
    --pool.sessions;
    empty_grave();
    auto* const backend = pool.find(backend_id);
    if (backend == nullptr || --backend->cancels_under_way > 0) return;
    // Its session gave it up while the request was on its way.
    if (backend->session == nullptr && !pool.is_idle(*backend)) pool.group().give_back(*backend, pool);
}

WorkerSnapshot Worker::snapshot() const {
    WorkerSnapshot snapshot;
    snapshot.memory = memory_;
    for (auto const& [key, pool] : pools_) pool->describe(snapshot);
    for (auto const& [database, view] : views_) view->describe(snapshot);
    auto& all = snapshot.statements;
    auto const shown = std::min(all.size(), most_shown);
    std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(shown), std::ranges::greater(), &StatementInfo::count);
    all.resize(shown);
    return snapshot;
}

std::vector<std::uint64_t> Worker::client_ids() const {
    std::vector<std::uint64_t> ids;
    ids.reserve(sessions_.size());
    for (auto const& [id, session] : sessions_) ids.push_back(id);
    return ids;
}

std::vector<ClientInfo> Worker::clients(std::span<std::uint64_t const> ids) const {
    std::vector<ClientInfo> clients;
    for (auto const id : ids) {
        if (auto const* const session = find_session(id)) clients.push_back(session->info());
    }
    return clients;
}

DatabaseView& Worker::view_of(std::string const& database) {
    auto& view = views_[database];
    if (!view) view = std::make_unique<DatabaseView>(database, shared_.catalog, *loop_, fingerprint_seed_, memory_, judge_);
    return *view;
}

void Worker::refresh_facts(std::string const& database, ClientSession& session, std::function<void(bool)> ready) {
    auto const id = session.id();
    shared_.catalog.refresh(database, [this, mailbox = mailbox_, id, database, ready = std::move(ready)](CatalogWatch::Facts const& facts) {
        mailbox->post([this, id, database, ready, are_there = facts != nullptr] {
            view_of(database).look_again();
            if (sessions_.contains(id)) ready(are_there);
        });
    });
}

// Here at once: what waits for a backend is told nothing else.
void Worker::database_is_gone(std::string const& database) {
    end_sessions_in(database);
    shared_.end_sessions_in(database);
}

void Worker::catalog_changed(std::string const& database) {
    shared_.catalog.invalidate(database);
    view_of(database).look_again();
}

}  // namespace pgtandem::proxy
