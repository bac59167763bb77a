// Keeps, for each database that clients use, what sql/ needs to know of its catalog. One libpq session per database, as many threads as read at once.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "pg/conninfo.hpp"
#include "sql/catalog_facts.hpp"

namespace pgtandem::proxy {

class CatalogWatch {
public:
    using Facts = std::shared_ptr<sql::CatalogFacts const>;
    // How to reach a database on the primary as a superuser.
    using FindServer = std::function<Result<Conninfo>(std::string const& database)>;
    // What the settings say of functions, at any time.
    using FindOverrides = std::function<sql::FunctionOverrides()>;
    CatalogWatch(FindServer find_server, FindOverrides find_overrides);
    ~CatalogWatch();

    // What is known now and not known to be out of date; null when a read has to be waited for. Thread-safe, cheap.
    Facts current(std::string const& database) const;
    // Calls 'ready' (on a thread of the watch, once) when facts read after this call are there; with null when they cannot be had.
    void refresh(std::string const& database, std::function<void(Facts)> ready);
    // The catalog has changed: current() gives null until it has been read again.
    void invalidate(std::string const& database);
    // Has no session in the database any more, until somebody asks about it again.
    void leave(std::string const& database);

private:
    class Work;
    std::unique_ptr<Work> work_;
};

}  // namespace pgtandem::proxy
