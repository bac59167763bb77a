#include "instance/layout.hpp"

#include <gtest/gtest.h>
#include <sys/un.h>

#include <set>

namespace pgtandem {

TEST(ClusterPaths, lie_below_the_clusters_folder_and_each_is_its_own) {
    ClusterPaths const paths{"/srv/db"};
    auto const node = paths.node("node2");
    std::set<Path> seen;
    for (auto const& path : {paths.store(),
                             paths.reports(),
                             paths.up_lock(),
                             paths.credentials(),
                             paths.internal_credentials(),
                             paths.passfile(),
                             paths.replication_passfile(),
                             paths.archive(),
                             paths.archive_script(),
                             paths.log(),
                             paths.nodes(),
                             paths.sockets(),
                             node.folder,
                             node.data(),
                             node.clone(),
                             node.ready(),
                             node.old(),
                             node.tablespaces(),
                             node.log(),
                             node.guard_lock(),
                             node.guard_log()}) {
        EXPECT_TRUE(path.string().starts_with("/srv/db/")) << path;
        EXPECT_TRUE(seen.insert(path).second) << path;
    }
    EXPECT_EQ(node.data(), "/srv/db/nodes/node2/data");
}

TEST(ClusterPaths, a_sockets_path_always_fits_into_its_address) {
    for (std::size_t length = 1; length < 300; ++length) {
        ClusterPaths const paths{"/" + std::string(length, 'x')};
        auto const lock_file = paths.socket(65535).string() + ".lock";
        EXPECT_LE(lock_file.size(), sizeof(sockaddr_un::sun_path) - 1) << length;
    }
}

TEST(ClusterPaths, long_folders_have_sockets_of_their_own_and_always_the_same) {
    std::string const far(200, 'x');
    auto const one = ClusterPaths{"/" + far + "1"}.sockets();
    EXPECT_TRUE(one.string().starts_with("/tmp/pgtandem-")) << one;
    EXPECT_EQ(one, (ClusterPaths{"/" + far + "1"}.sockets()));
    EXPECT_NE(one, (ClusterPaths{"/" + far + "2"}.sockets()));
    EXPECT_EQ(ClusterPaths{"/srv/db"}.sockets(), "/srv/db/run");
}

}  // namespace pgtandem
