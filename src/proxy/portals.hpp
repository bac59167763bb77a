// The portals that a client has bound, by its names for them: which statement each runs, and how far one that the endpoint itself answers
// has been run. A portal ends with its transaction, or with the subtransaction that it was bound in. Pure.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/own_statement.hpp"
#include "proxy/prepared.hpp"

namespace pgtandem::proxy {

// Of a name the server reads no more: NAMEDATALEN - 1.
inline constexpr std::size_t name_length_max = 63;

class Portals {
public:
    // 'since': how many messages the backend had been sent before; 'savepoints': how many the transaction has.
    void bind(std::string_view name, PreparedRef statement, std::uint64_t since, std::size_t savepoints);
    void unbind(std::string_view name);
    // Null where none of that name was bound by a message: it may be a cursor of SQL.
    PreparedRef bound(std::string_view name) const;
    // Of a portal whose statement is the endpoint's own.
    OwnRun& run_of(std::string_view name);

    void end_all();
    // A transaction has ended with the last of so many messages; what was bound by a later one is of the next.
    void end_before(std::uint64_t sent);
    // Back to the last of so many savepoints, which is there still.
    void rolled_back(std::size_t savepoints);
    // So many savepoints are left; what was bound behind them is the outer transaction's.
    void released(std::size_t savepoints);

private:
    struct Portal {
        PreparedRef statement{};
        std::shared_ptr<OwnRun> run{};
        std::uint64_t since = 0;
        std::size_t savepoints = 0;
    };
    void end_if(std::function<bool(Portal const&)> const& ends);

    Portal unnamed_;
    // Few clients name theirs.
    std::unique_ptr<std::map<std::string, Portal, std::less<>>> named_;
};

}  // namespace pgtandem::proxy
