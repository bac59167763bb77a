// The administration console: what clients of the database "pgtandem" may ask. Pure but for the control it is given.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "proxy/endpoint_settings.hpp"
#include "proxy/routing.hpp"
#include "proxy/snapshot.hpp"

namespace pgtandem::proxy {

inline constexpr char const* console_database = "pgtandem";

enum class ConsoleRight { none, read, administer };

struct ConsoleTable {
    std::vector<std::string> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;
};

struct ConsoleAnswer {
    std::optional<ConsoleTable> table;
    std::string tag;  // "SHOW", "PAUSE" ...
    std::vector<std::string> notices{};
};

// What the console works on; implemented by the endpoint. Called on a thread of the console's own that may wait.
class EndpointControl {
public:
    virtual ~EndpointControl() = default;
    virtual std::vector<WorkerSnapshot> snapshots() = 0;
    virtual std::shared_ptr<EndpointSettings const> settings() const = 0;
    virtual std::shared_ptr<Routing const> routing() const = 0;
    // An empty database means all. pause() returns once no backend of it is in use; Error when the time is over.
    virtual Status pause(std::string const& database) = 0;
    virtual Status resume(std::string const& database) = 0;
    // Closes idle backends now and the others when they are given back.
    virtual Status reconnect(std::string const& database) = 0;
    virtual Status reload() = 0;
    // Ends one client by its id (as SHOW CLIENTS gives it), or all of a database.
    virtual Status kill_client(std::uint64_t id) = 0;
    virtual Status kill_database(std::string const& database) = 0;
};

// One statement. Errors carry a SQLSTATE: 42601 not known (with the nearest), 42501 not allowed.
Result<ConsoleAnswer> run_console_command(std::string_view text, ConsoleRight right, EndpointControl& control);

}  // namespace pgtandem::proxy
