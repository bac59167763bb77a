#include "instance/layout.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.hpp"

namespace pgtandem {

Path ClusterPaths::sockets() const {
    constexpr std::size_t longest_folder = 107 - std::string_view("/.s.PGSQL.65535.lock").size();
    auto const place = folder / "run";
    if (place.string().size() <= longest_folder) return place;
    return fmt::format("/tmp/pgtandem-{}-{:016x}", ::geteuid(), stable_hash(place.string()));
}

}  // namespace pgtandem
