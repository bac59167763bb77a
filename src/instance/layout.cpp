#include "instance/layout.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace pgtandem {

Path ClusterPaths::sockets() const {
    constexpr std::size_t longest_folder = 107 - std::string_view("/.s.PGSQL.65535.lock").size();
    auto const place = folder / "run";
    if (place.string().size() <= longest_folder) return place;
    // FNV-1a: stable between runs and builds, which std::hash does not promise.
    std::uint64_t hash = 14695981039346656037ULL;
    for (char const letter : place.string()) hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211ULL;
    return fmt::format("/tmp/pgtandem-{}-{:016x}", ::geteuid(), hash);
}

}  // namespace pgtandem
