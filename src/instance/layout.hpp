// Where everything of a cluster lies below its folder.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/files.hpp"

namespace pgtandem {

// One node's folder. A copy grows in 'clone', is whole once it is called 'ready', and is the server's once it is
// 'data'; what it replaces is 'old' until the new copy streams.
struct NodePaths {
    Path folder;
    Path data() const { return folder / "data"; }
    Path clone() const { return folder / "data.clone"; }
    Path ready() const { return folder / "data.ready"; }
    Path old() const { return folder / "data.old"; }
    // A copy's tablespaces: links in it name them, so they never move; each generation has a folder of its own.
    Path tablespaces() const { return folder / "tablespaces"; }
    Path tablespaces(int generation) const { return tablespaces() / std::to_string(generation); }
    Path log() const { return folder / "log"; }
    Path guard_lock() const { return folder / "guard.lock"; }
    Path guard_log() const { return folder / "guard.log"; }
};

struct ClusterPaths {
    Path folder;
    Path store() const { return folder / "store.json"; }
    Path reports() const { return folder / "reports.json"; }
    Path up_lock() const { return folder / "up.lock"; }
    Path credentials() const { return folder / "credentials.env"; }
    Path internal_credentials() const { return folder / "internal.env"; }
    Path passfile() const { return folder / "pgpass"; }
    Path replication_passfile() const { return folder / "replication.pgpass"; }
    Path archive() const { return folder / "archive"; }
    Path archive_script() const { return folder / "archive_wal.sh"; }
    Path log() const { return folder / "log"; }
    Path nodes() const { return folder / "nodes"; }
    NodePaths node(std::string_view name) const { return {nodes() / name}; }
    // The folder of the servers' Unix sockets: below the cluster's, or, where that path is longer than a socket's
    // address may be (107 bytes), one in /tmp whose name comes from the cluster's path.
    Path sockets() const;
    Path socket(std::uint16_t port) const { return sockets() / (".s.PGSQL." + std::to_string(port)); }
};

}  // namespace pgtandem
