#include "proxy/catalog_watch.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "client/session.hpp"
#include "sql/catalog_query.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto patience = 10s;
// How often the catalog is looked at for changes that did not come through here, and for how long after the last use.
constexpr auto look_interval = 1s;
constexpr auto interest = 30s;
constexpr std::size_t threads_max = 16;

}  // namespace

class CatalogWatch::Work {
public:
    Work(FindServer find_server, FindOverrides find_overrides)
        : find_server_(std::move(find_server)), find_overrides_(std::move(find_overrides)) {
        threads_.emplace_back([this] { run(); });
    }

    ~Work() {
        {
            std::lock_guard const guard(mutex_);
            ends_ = true;
        }
        wakes_.notify_all();
        for (auto& thread : threads_) thread.join();
        answer_all(nullptr);
    }

    Facts current(std::string const& database) {
        std::lock_guard const guard(mutex_);
        auto const found = views_.find(database);
        if (found == views_.end()) return nullptr;
        found->second.used_at = Clock::now();
        return found->second.is_stale ? nullptr : found->second.facts;
    }

    void refresh(std::string const& database, std::function<void(Facts)> ready) {
        {
            std::lock_guard const guard(mutex_);
            views_[database].waiting.push_back(std::move(ready));
            views_[database].used_at = Clock::now();
            have_reader();
        }
        wakes_.notify_all();
    }

    void invalidate(std::string const& database) {
        std::lock_guard const guard(mutex_);
        auto& view = views_[database];
        view.is_stale = true;
        ++view.invalidations;
    }

    void leave(std::string const& database) {
        {
            std::lock_guard const guard(mutex_);
            auto const found = views_.find(database);
            if (found == views_.end() || !found->second.waiting.empty()) return;
            if (found->second.is_being_read) {
                found->second.leaves = true;
                return;
            }
            unused_.push_back(std::move(found->second.connection));
            views_.erase(found);
        }
        wakes_.notify_all();
    }

private:
    // Of the thread that reads the database at present.
    using Rows = std::vector<sql::CatalogFacts::Row>;
    struct Section {
        Rows::value_type signature;  // empty: not read yet
        Rows rows;
    };
    struct Connection {
        std::optional<Session> session;
        std::vector<Section> sections;  // what the facts were made of
        sql::FunctionOverrides overrides;
    };
    struct View {
        Facts facts;
        bool is_stale = true;
        std::uint64_t invalidations = 0;
        Clock::time_point used_at{};
        std::vector<std::function<void(Facts)>> waiting;
        bool is_being_read = false;
        bool leaves = false;  // once it has been read
        Clock::time_point looked_at{};
        std::unique_ptr<Connection> connection;
    };

    // Each thread reads one database at a time, so that none waits for another's; those with many objects take seconds.
    void run() {
        for (std::unique_lock lock(mutex_); !ends_;) {
            if (!unused_.empty()) {
                auto ended = std::exchange(unused_, {});
                lock.unlock();
                ended.clear();
                lock.lock();
                continue;
            }
            auto const due = find_due();
            if (due != views_.end()) look_at(lock, due->first, due->second);
            else wakes_.wait_for(lock, look_interval);
        }
    }

    // Mutex held. One more thread where there are fewer than databases to be read.
    void have_reader() {
        auto const wanted = std::ranges::count_if(views_, [](auto const& entry) { return entry.second.is_being_read || !entry.second.waiting.empty(); });
        if (threads_.size() >= std::min(static_cast<std::size_t>(wanted), threads_max)) return;
        try {
            threads_.emplace_back([this] { run(); });
        } catch (std::system_error const& error) {
            log::warn("a thread to read a catalog: {}", error.what());
        }
    }

    // Who is waited for comes first, and of those the one that was read longest ago.
    std::map<std::string, View>::iterator find_due() {
        auto const now = Clock::now();
        auto best = views_.end();
        auto const order = [](View const& view) { return std::pair(view.waiting.empty(), view.looked_at); };
        for (auto at = views_.begin(); at != views_.end(); ++at) {
            auto const& view = at->second;
            bool const is_due = !view.waiting.empty() || (view.used_at > now - interest && view.looked_at <= now - look_interval);
            if (is_due && !view.is_being_read && (best == views_.end() || order(view) < order(best->second))) best = at;
        }
        return best;
    }

    // The view stays where it is as long as it is being read.
    void look_at(std::unique_lock<std::mutex>& lock, std::string const& database, View& view) {
        auto const seen = view.invalidations;
        bool const was_stale = view.is_stale;
        auto waiting = std::exchange(view.waiting, {});
        auto const before = view.facts;
        view.is_being_read = true;
        if (!view.connection) view.connection = std::make_unique<Connection>();
        lock.unlock();
        auto facts = read(database, *view.connection, before, was_stale);
        if (!facts) log::warn(Error(facts.error()).within("reading the catalog of " + database).line());
        lock.lock();
        view.is_being_read = false;
        view.looked_at = Clock::now();
        view.facts = facts ? *facts : nullptr;
        if (before != nullptr && before != view.facts) former_.push_back(before);
        // What changed while it was read may not be in it.
        view.is_stale = !facts || view.invalidations != seen;
        auto const given = view.facts;
        if (view.leaves && view.waiting.empty()) {
            unused_.push_back(std::move(view.connection));
            views_.erase(database);
        } else {
            view.leaves = false;
        }
        auto unused = take_unused_facts();
        lock.unlock();
        for (auto const& ready : waiting) ready(given);
        unused.clear();
        lock.lock();
    }

    // Facts that no worker holds any more: to be destroyed here, since that takes a loop's time where they are many.
    std::vector<Facts> take_unused_facts() {
        auto const used = std::ranges::partition(former_, [](Facts const& facts) { return facts.use_count() == 1; });
        std::vector<Facts> unused(std::move_iterator(former_.begin()), std::move_iterator(used.begin()));
        former_.erase(former_.begin(), used.begin());
        return unused;
    }

    // The same value as before where nothing has changed, the same object where nobody said that something has: of a table's
    // columns the facts hold little, but statements that were prepared before are others now.
    Result<Facts> read(std::string const& database, Connection& connection, Facts const& before, bool was_stale) {
        if (!connection.session || !connection.session->usable()) {
            connection = {};
            PGTANDEM_TRY(conninfo, find_server_(database));
            PGTANDEM_TRY(session, Session::connect(conninfo, Deadline::in(patience)));
            connection.session.emplace(std::move(session));
            // The planner takes a search in a text for a thousand rows, and what it finds for worth compiling: a tenth of a second.
            PGTANDEM_CHECK(connection.session->run_script("SET jit = off", Deadline::in(patience)));
        }
        PGTANDEM_TRY(is_other, read_rows(connection));
        auto const overrides = find_overrides_();
        if (before && !is_other && overrides == connection.overrides) return was_stale ? std::make_shared<sql::CatalogFacts const>(*before) : before;
        std::vector<sql::CatalogFacts::Row> rows;
        for (auto const& section : connection.sections) rows.insert(rows.end(), section.rows.begin(), section.rows.end());
        PGTANDEM_TRY(facts, sql::CatalogFacts::from_rows(rows, overrides));
        connection.overrides = overrides;
        return std::make_shared<sql::CatalogFacts const>(std::move(facts));
    }

    // Whether the rows are others than before. The newest transaction's id would not tell: an older one may commit later. What is
    // older than the signature's snapshot is in it; rows that are newer than it are read once more with the next look.
    static Result<bool> read_rows(Connection& connection) {
        auto const sections = sql::catalog_sections();
        connection.sections.resize(sections.size());
        PGTANDEM_TRY(answer, connection.session->query(sql::catalog_signatures_query(), Deadline::in(patience)));
        if (answer.empty()) return fail("reading the catalog", "its signatures", "there is no answer");
        auto const& signatures = *answer.begin();
        bool is_other = false;
        for (std::size_t index = 0; index < sections.size(); ++index) {
            Section section;
            for (auto const column : sections[index].signatures) section.signature.push_back(signatures.at(column));
            auto& known = connection.sections[index];
            if (known.signature == section.signature) continue;
            PGTANDEM_TRY(rows, connection.session->query(std::string(sections[index].rows), Deadline::in(patience)));
            section.rows.assign(rows.begin(), rows.end());
            std::ranges::sort(section.rows);
            is_other = is_other || known.signature.empty() || section.rows != known.rows;
            known = std::move(section);
        }
        return is_other;
    }

    void answer_all(Facts const& facts) {
        std::lock_guard const guard(mutex_);
        for (auto& [database, view] : views_) {
            for (auto const& ready : std::exchange(view.waiting, {})) ready(facts);
        }
    }

    FindServer find_server_;
    FindOverrides find_overrides_;
    std::mutex mutex_;
    std::condition_variable wakes_;
    std::map<std::string, View> views_;
    std::vector<std::unique_ptr<Connection>> unused_;  // of databases that have been left
    std::vector<Facts> former_;
    bool ends_ = false;
    std::vector<std::thread> threads_;
};

CatalogWatch::CatalogWatch(FindServer find_server, FindOverrides find_overrides)
    : work_(std::make_unique<Work>(std::move(find_server), std::move(find_overrides))) {}
CatalogWatch::~CatalogWatch() = default;

CatalogWatch::Facts CatalogWatch::current(std::string const& database) const { return work_->current(database); }

void CatalogWatch::refresh(std::string const& database, std::function<void(Facts)> ready) {
    work_->refresh(database, std::move(ready));
}

void CatalogWatch::leave(std::string const& database) { work_->leave(database); }

void CatalogWatch::invalidate(std::string const& database) { work_->invalidate(database); }

}  // namespace pgtandem::proxy
