// How to reach a server: the parameters of a libpq connection, and the two ways to write them down.
#pragma once
#include <cstdint>
#include <string>

namespace pgtandem {

struct Conninfo {
    std::string host;  // a name, an address, or the folder of a Unix socket
    std::uint16_t port = 5432;
    std::string user;
    std::string database;
    std::string password{};  // never part of to_keywords() or to_uri()
    std::string passfile{};
    std::string application_name{"pgtandem"};
    bool replication = false;  // a physical replication connection
    // Who comes in, for a Session, where the server has no place for 'user', or does not know it yet. Empty: nobody.
    std::string reserve_user{};
    std::string reserve_password{};  // never part of to_keywords() or to_uri()

    bool operator==(Conninfo const&) const = default;
};

// "host='...' port=... ...": for libpq and primary_conninfo.
std::string to_keywords(Conninfo const& conninfo);
// "postgresql://user@host:port/database?passfile=...": what a user pastes.
std::string to_uri(Conninfo const& conninfo);
// "127.0.0.1:6441" or "socket /run/x/.s.PGSQL.6441": for messages.
std::string to_address(Conninfo const& conninfo);

}  // namespace pgtandem
