// The agreed state of a cluster on one machine: keys with JSON values in one file, with compare-and-swap and watch.
// Every change is a whole new file under a lock, so that readers need none and a crash leaves the old or the new.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/deadline.hpp"
#include "base/files.hpp"
#include "base/result.hpp"

namespace pgtandem {

struct StoredValue {
    nlohmann::json value;
    std::uint64_t revision;  // of the change that wrote it
};

struct Snapshot {
    std::uint64_t revision = 0;  // rises by one with each change; 0 where the file is not there
    std::map<std::string, StoredValue> keys{};
};

class FileStore {
public:
    enum class Kind {
        durable,   // a change is on disk when write() returns
        volatile_  // what each process says anew when it starts: not worth waiting for the disk
    };

    explicit FileStore(Path file, Kind kind = Kind::durable) : file_(std::move(file)), kind_(kind) {}

    Result<Snapshot> read() const;

    // Writes all the keys in one change; a null value removes the key. With 'expected' nothing is written unless the
    // store's revision is still that one: an error of kind failed with why "changed meanwhile" tells so.
    Result<std::uint64_t> write(std::map<std::string, nlohmann::json> const& changes,
                                std::optional<std::uint64_t> expected = {}) const;

    // True when the revision is another than 'seen', at once or before the deadline.
    bool wait_for_change(std::uint64_t seen, Deadline deadline) const {
        return wait_for_any_change({{this, seen}}, deadline);
    }

    struct Seen {
        FileStore const* store;
        std::uint64_t revision;
    };
    // The same for several stores, whose files lie in one folder.
    static bool wait_for_any_change(std::initializer_list<Seen> seen, Deadline deadline);

    Path const& file() const { return file_; }

private:
    Path file_;
    Kind kind_;
};

}  // namespace pgtandem
