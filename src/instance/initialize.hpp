// Making a data folder: a new one with initdb, or a copy of the primary's with pg_basebackup.
// Each grows beside its place and is moved there whole, so that a kill at any moment leaves no half of one.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/stop_signal.hpp"
#include "instance/configuration.hpp"
#include "instance/credentials.hpp"
#include "instance/programs.hpp"

namespace pgtandem {

// A new data folder, with checksums, UTF-8 and SCRAM, configured and on disk when this returns.
Status initialize(PgPrograms const& programs, NodePaths const& node, std::string const& settings,
                  std::string const& hba, Credentials const& credentials, StopSignal const& stop);

struct CloneProgress {
    std::uint64_t done_bytes;
    std::uint64_t total_bytes;
};

struct CloneSource {
    Conninfo primary;                               // with the replication role
    std::vector<std::string> tablespace_locations;  // on the primary
};

// A verified copy in node.ready(), configured as a replica with 'settings', holding 'generation'.
Status clone(PgPrograms const& programs, NodePaths const& node, CloneSource const& source, std::string const& settings,
             int generation, StopSignal const& stop, std::function<void(CloneProgress)> const& on_progress);

// Puts the ready copy into its place; what was there becomes node.old().
Status install_clone(NodePaths const& node);

// What the copy of this generation has replaced; node.old() goes last, as it says that there is something to remove.
Status remove_older(NodePaths const& node, int generation);

// The generation of the data folder: how often the replica has been made; 0 where there is none. An error when it cannot be seen.
Result<int> data_generation(NodePaths const& node);

// The files that make a configuration, written only where they differ. True if anything did.
Result<bool> write_settings(Path const& data, std::string const& settings, bool is_replica);
Result<bool> settings_are_current(Path const& data, std::string const& settings, bool is_replica);

// The settings that a replica may not have lower than its primary (the manual, "Hot Standby"), as the primary had them
// in the WAL that this data folder has replayed: pg_controldata's.
Result<std::map<std::string, int>> replayed_limits(PgPrograms const& programs, Path const& data);

// One line of pg_basebackup --progress: "  1024/23456 kB (4%), ..."; nothing for other lines.
std::optional<CloneProgress> parse_progress(std::string_view line);

}  // namespace pgtandem
