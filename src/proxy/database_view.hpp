// What a worker knows of one database: its catalog, the statements looked at with it, and what has been done there.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "io/loop.hpp"
#include "proxy/catalog_watch.hpp"
#include "proxy/drawn_numbers.hpp"
#include "proxy/endpoint_settings.hpp"
#include "proxy/memory_use.hpp"
#include "proxy/prepared.hpp"
#include "proxy/route_counts.hpp"
#include "proxy/snapshot.hpp"
#include "proxy/statement_judge.hpp"
#include "sql/analyze.hpp"

namespace pgtandem::proxy {

// A session's search_path as far as it is known. Equal paths have the same key; 0 where it is not known.
struct KnownPath {
    sql::SearchPath schemas;
    std::uint64_t key = 0;
};

class DatabaseView {
public:
    DatabaseView(std::string database, CatalogWatch& catalog, io::Loop const& loop, std::uint64_t fingerprint_seed, MemoryUse& memory, StatementJudge& judge)
        : database_(std::move(database)), catalog_(catalog), loop_(loop), fingerprint_seed_(fingerprint_seed), memory_(memory), judge_(judge) {}

    KnownPath known_path(sql::SearchPath schemas) const;
    // How a text is to be read.
    struct Reading {
        bool strings_conform = true;
        KnownPath const& path;
    };
    // A long text as it was read, whether or not it is remembered here.
    struct LongText {
        std::uint64_t key;
        std::shared_ptr<sql::Analysis const> analysis;  // null: it is not followed
    };
    // Looked at once for each text, path and state of the catalog. Null where the text is too long to look at, and of a long one as long
    // as it must be read. 'has' is the long text that the session was given last.
    std::shared_ptr<sql::Analysis const> analyse(std::string_view text, Reading how, EndpointSettings const& settings, LongText const* has);
    bool must_be_read(std::string_view text, Reading how, EndpointSettings const& settings, LongText const* has);
    // On another thread. Null: nothing has been done yet, and it is to be asked for again.
    void read_beside(std::string_view text, Reading how, EndpointSettings const& settings, std::function<void(std::unique_ptr<LongText>)> answer);
    // Counts changes of the catalog, as it is now.
    std::uint64_t epoch() {
        look();
        return epoch_;
    }
    // Whether it was analysed with the catalog as it is, and with that path.
    bool holds(PreparedStatement const& statement, KnownPath const& path);
    // False: the catalog is being read again.
    bool facts_hold();
    // Event triggers run at each login, as far as the catalog is known.
    bool has_login_trigger();
    // The catalog may be another one than it was a moment ago.
    void look_again() { looked_at_ = {}; }
    // The settings are others, by which statements were judged.
    void forget_statements() { forget_analyses(); }

    void describe(WorkerSnapshot& snapshot) const;

    DatabaseStats stats;
    RouteCounts routes;
    NumberHabits numbers;

private:
    void look();
    void forget_analyses();
    std::shared_ptr<sql::Analysis const> find(std::uint64_t key);
    void remember(std::uint64_t key, std::shared_ptr<sql::Analysis const> const& analysis, std::string_view text);
    std::shared_ptr<sql::Analysis const> find_long(std::uint64_t key);
    std::uint64_t long_key(std::string_view text, Reading how);
    std::shared_ptr<sql::Analysis const> take_long(std::uint64_t key, std::uint64_t path_key, bool is_split, StatementJudge::Statement statement);
    void have_judged(std::uint64_t key, StatementJudge::Statement statement);

    std::string database_;
    CatalogWatch& catalog_;
    io::Loop const& loop_;
    std::uint64_t fingerprint_seed_;
    MemoryUse& memory_;
    StatementJudge& judge_;
    CatalogWatch::Facts facts_;
    std::uint64_t epoch_ = 0;
    bool facts_hold_ = false;
    Clock::time_point looked_at_{};
    struct Known {
        std::shared_ptr<sql::Analysis const> analysis;
        std::string text;  // its beginning
        std::uint64_t uses = 0;
    };
    std::unordered_map<std::uint64_t, Known> analyses_;
    std::unordered_map<std::uint64_t, std::uint64_t> long_texts_;  // by long_key(): where in analyses_
    std::size_t analyses_bytes_ = 0;
};

}  // namespace pgtandem::proxy
