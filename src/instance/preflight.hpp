// What must be so before anything is made: the folder, the ports, the disk, the settings.
// Nothing is changed by looking.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "instance/configuration.hpp"
#include "instance/layout.hpp"
#include "instance/programs.hpp"
#include "io/identity.hpp"

namespace pgtandem {

// Whether a cluster lies in the folder; false where the folder is empty or not there. Errors: what lies there is not
// ours, or is another user's, or others may write to it.
Result<bool> look_at_folder(ClusterPaths const& paths, SystemUser const& owner);

// Makes the folder if it is not there, for 'owner' (who may be another user when we are root).
Status make_folder(ClusterPaths const& paths, SystemUser const& owner);

// Makes the folder of the servers' sockets. In /tmp another user may have made one of that name: a folder that is not
// ours alone is refused, since who may change it could put a server of their own into the place of ours.
Status make_socket_folder(ClusterPaths const& paths);
// Removes it with what is left in it; one that is another user's is not touched.
Status remove_socket_folder(ClusterPaths const& paths);

Status check_port(std::string const& node, std::string const& listen, std::uint16_t port);

// Bytes on disk of a server's data, its tablespaces included: what a copy of it takes.
std::uint64_t data_bytes(Path const& data);

// Room for 'new_nodes' more data folders of the primary's present size.
Status check_disk(ClusterPaths const& paths, std::uint64_t primary_bytes, std::size_t new_nodes);

// Asks PostgreSQL itself, in a scratch folder below 'scratch', whether it takes the settings and could allocate what
// they ask for. Errors hold its words.
Status check_settings(PgPrograms const& programs, Path const& scratch, Settings const& settings);

}  // namespace pgtandem
