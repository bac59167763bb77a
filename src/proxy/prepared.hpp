// Prepared statements by what they are, not by who named them: one entry for each text with its parameter types, shared by
// all sessions of a worker; each backend knows which of them it has.
#pragma once
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/own_statement.hpp"
#include "sql/analyze.hpp"

namespace pgtandem::proxy {

struct PreparedStatement {
    std::uint64_t id = 0;
    std::uint64_t epoch = 0;  // of the catalog when it was analysed
    std::uint64_t path = 0;   // KnownPath's key, by which it was
    std::string text;
    std::string types;  // object ids of parameter types as they travel in Parse
    std::shared_ptr<sql::Analysis const> analysis;
    std::optional<OwnStatement> own{};  // the endpoint answers it itself
    // A server has said that it would give other columns now than when it was prepared: whoever prepares it anew gets another one.
    mutable bool is_outdated = false;
    std::string server_name() const { return "pgtandem_" + std::to_string(id); }
};

using PreparedRef = std::shared_ptr<PreparedStatement const>;

// Those of one database. One statement that many sessions prepare is one entry; one nobody holds any more is forgotten.
class PreparedRegistry {
public:
    // 'epoch' counts changes of the catalog: a statement that is prepared after a change is not taken for one from before,
    // whose plan may give columns of other types.
    PreparedRef find(std::uint64_t epoch, std::string_view text, std::string_view types) const;
    // Gives it its id.
    PreparedRef add(PreparedStatement statement);

private:
    void forget_unused();

    std::unordered_map<std::string, std::weak_ptr<PreparedStatement const>> entries_;
    std::size_t forget_at_ = 1024;
    std::uint64_t last_id_ = 0;
};

// The statements one backend has under their server names, the least recently used one first to go.
class PreparedOnBackend {
public:
    bool use(std::uint64_t id);  // true if it is there
    void add(PreparedRef const& statement);
    void remove(std::uint64_t id);
    void clear();
    std::size_t size() const { return places_.size(); }
    PreparedRef const& oldest() const { return order_.back(); }
    std::list<PreparedRef> const& all() const { return order_; }

private:
    std::list<PreparedRef> order_;  // the newest first
    std::unordered_map<std::uint64_t, std::list<PreparedRef>::iterator> places_;
};

}  // namespace pgtandem::proxy
