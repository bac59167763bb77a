#include "proxy/catalog_watch.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
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

}  // namespace

class CatalogWatch::Work {
public:
    Work(FindServer find_server, FindOverrides find_overrides)
        : find_server_(std::move(find_server)), find_overrides_(std::move(find_overrides)), thread_([this] { run(); }) {}

    ~Work() {
        {
            std::lock_guard const guard(mutex_);
            ends_ = true;
        }
        wakes_.notify_all();
        thread_.join();
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
            if (found != views_.end() && !found->second.waiting.empty()) return;
            if (found != views_.end()) views_.erase(found);
            leaving_.push_back(database);
        }
        wakes_.notify_all();
    }

private:
    struct View {
        Facts facts;
        bool is_stale = true;
        std::uint64_t invalidations = 0;
        Clock::time_point used_at{};
        std::vector<std::function<void(Facts)>> waiting;
    };
    // The thread's own.
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

    void run() {
        for (;;) {
            std::unique_lock lock(mutex_);
            wakes_.wait_for(lock, look_interval, [this] { return ends_ || !leaving_.empty() || somebody_waits(); });
            std::vector<std::string> databases;
            auto const since = Clock::now() - interest;
            for (auto const& [database, view] : views_) {
                if (!view.waiting.empty() || view.used_at > since) databases.push_back(database);
            }
            bool const ends = ends_;
            auto const leaving = std::exchange(leaving_, {});
            lock.unlock();
            if (ends) break;
            for (auto const& database : leaving) connections_.erase(database);
            for (auto const& database : databases) look_at(database);
        }
        answer_all(nullptr);
    }

    bool somebody_waits() const {
        for (auto const& [database, view] : views_) {
            if (!view.waiting.empty()) return true;
        }
        return false;
    }

    void look_at(std::string const& database) {
        std::unique_lock lock(mutex_);
        auto const seen = views_[database].invalidations;
        bool const was_stale = views_[database].is_stale;
        auto waiting = std::move(views_[database].waiting);
        views_[database].waiting.clear();
        auto const before = views_[database].facts;
        lock.unlock();
        auto facts = read(database, before, was_stale);
        if (!facts) log::warn(Error(facts.error()).within("reading the catalog of " + database).line());
        lock.lock();
        auto& view = views_[database];
        view.facts = facts ? *facts : nullptr;
        // What changed while it was read may not be in it.
        view.is_stale = !facts || view.invalidations != seen;
        auto const given = view.facts;
        lock.unlock();
        for (auto const& ready : waiting) ready(given);
    }

    // The same value as before where nothing has changed, the same object where nobody said that something has: of a table's
    // columns the facts hold little, but statements that were prepared before are others now.
    Result<Facts> read(std::string const& database, Facts const& before, bool was_stale) {
        auto& connection = connections_[database];
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
    std::vector<std::string> leaving_;
    bool ends_ = false;
    std::map<std::string, Connection> connections_;
    std::thread thread_;
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
