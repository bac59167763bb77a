// Prepared statements by what they are, not by their clients' names: one entry for each text with its parameter types and the
// settings by which PostgreSQL parsed it, shared by the sessions of a pool; each backend knows which of them it has.
#pragma once
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/memory_use.hpp"
#include "proxy/own_statement.hpp"
#include "proxy/session_settings.hpp"
#include "sql/analyze.hpp"

namespace pgtandem::proxy {

// What a server said of a statement when it was parsed; what clients encode parameters and decode rows by.
struct StatementDescription {
    std::string parameters;  // object ids of the parameters' types, as they travel in Parse
    std::string columns;     // description_of_columns(); nothing for a statement without rows

    bool operator==(StatementDescription const&) const = default;
};

// Name, type and type modifier of each column of a RowDescription's body: what PostgreSQL compares before it says that a cached plan
// must not change its result type. Nothing where the body is malformed.
std::optional<std::string> description_of_columns(std::string_view body);

struct PreparedStatement {
    std::uint64_t epoch = 0;  // of the catalog when it was analysed
    std::uint64_t path = 0;   // KnownPath's key, by which it was
    std::string text;
    std::string types;  // object ids of parameter types as they travel in the client's Parse
    bool strings_conform = true;  // standard_conforming_strings at its Parse
    SettingsRef settings = no_settings();  // those in force at its Parse that matter to a parser (parse_settings.hpp)
    std::shared_ptr<sql::Analysis const> analysis;
    std::optional<OwnStatement> own{};  // the endpoint answers it itself
    // Learned with the first Parse on a server.
    mutable std::optional<StatementDescription> description{};
    // A server has said that it would give other columns now than when it was prepared: whoever prepares it anew gets another one.
    mutable bool is_outdated = false;
    // A text that was too long to be kept: only the backend that has it can run it.
    bool has_text = true;

    std::size_t bytes() const { return sizeof *this + text.size() + types.size(); }
    // With the types that the clients were told, so that a server does not find others.
    std::string const& types_to_parse() const { return description ? description->parameters : types; }
};

using PreparedRef = std::shared_ptr<PreparedStatement const>;

// Stands for a statement of which nothing is known: no other one is the same.
PreparedRef const& unknown_statement();

// Counted in 'memory', which outlives it.
PreparedRef make_prepared(PreparedStatement statement, MemoryUse& memory);

// Those of one pool. One statement that many sessions prepare is one entry; one nobody holds any more is forgotten.
class PreparedRegistry {
public:
    // 'epoch' counts changes of the catalog: a statement that is prepared after a change is not taken for one from before,
    // whose plan may give columns of other types.
    PreparedRef find(std::uint64_t epoch, std::string_view text, std::string_view types, SettingsRef const& settings) const;
    // Takes the place of an entry that is the same but for its description.
    PreparedRef add(PreparedStatement statement, MemoryUse& memory);

private:
    void forget_unused();
    static std::size_t hash_of(std::uint64_t epoch, std::string_view text, std::string_view types, SettingsRef const& settings);

    std::unordered_multimap<std::size_t, std::weak_ptr<PreparedStatement const>> entries_;
    std::size_t forget_at_ = 1024;
};

// The statements one backend has under names of the endpoint's, the least recently used one first to go. A name is used once in a
// backend's life.
class PreparedOnBackend {
public:
    struct Entry {
        PreparedRef statement;
        std::string server_name;
        bool differs = false;  // the server describes it otherwise than the clients were told: it is not to be used
        bool is_planned = false;  // it has been used there
    };

    std::string next_name() { return "pgtandem_" + std::to_string(++last_name_); }
    // Null where it is not there. Counts as a use.
    Entry* use(PreparedRef const& statement);
    void add(Entry entry);
    // Gives back what was there.
    std::optional<Entry> remove(PreparedRef const& statement);
    void remove_name(std::string_view server_name);
    void clear();
    std::size_t size() const { return places_.size(); }
    std::size_t bytes() const { return bytes_; }
    Entry const& oldest() const { return order_.back(); }
    std::list<Entry> const& all() const { return order_; }

private:
    using Order = std::list<Entry>;

    void erase(Order::iterator place);

    Order order_;  // the newest first
    std::unordered_map<PreparedStatement const*, Order::iterator> places_;
    std::size_t bytes_ = 0;
    std::uint64_t last_name_ = 0;
};

// Whether a client's name for a statement could be one of the endpoint's own.
inline constexpr std::string_view reserved_prefix = "pgtandem_";
inline bool is_reserved_name(std::string_view name) { return name.starts_with(reserved_prefix); }
// A name of that kind that no statement ever has.
inline constexpr std::string_view unused_name = "pgtandem_0";

}  // namespace pgtandem::proxy
