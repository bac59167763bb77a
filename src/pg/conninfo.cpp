#include "pg/conninfo.hpp"

#include <fmt/format.h>

#include "pg/quoting.hpp"

namespace pgtandem {

std::string to_keywords(Conninfo const& conninfo) {
    auto text =
        fmt::format("host={} port={} user={} application_name={}", quoted_conninfo_value(conninfo.host), conninfo.port,
                    quoted_conninfo_value(conninfo.user), quoted_conninfo_value(conninfo.application_name));
    if (!conninfo.database.empty()) text += " dbname=" + quoted_conninfo_value(conninfo.database);
    if (!conninfo.passfile.empty()) text += " passfile=" + quoted_conninfo_value(conninfo.passfile);
    if (conninfo.replication) text += " replication=true";
    return text;
}

std::string to_uri(Conninfo const& conninfo) {
    bool const is_ipv6 = conninfo.host.find(':') != std::string::npos;
    auto const host = is_ipv6 ? "[" + conninfo.host + "]" : percent_encoded(conninfo.host);
    auto uri = fmt::format("postgresql://{}@{}:{}/{}", percent_encoded(conninfo.user), host, conninfo.port,
                           percent_encoded(conninfo.database));
    if (!conninfo.passfile.empty()) uri += "?passfile=" + percent_encoded(conninfo.passfile);
    return uri;
}

std::string to_address(Conninfo const& conninfo) {
    if (conninfo.host.starts_with('/')) return fmt::format("socket {}/.s.PGSQL.{}", conninfo.host, conninfo.port);
    return fmt::format("{}:{}", conninfo.host, conninfo.port);
}

}  // namespace pgtandem
