#include "instance/data_folders.hpp"

#include <gtest/gtest.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include <string>

#include "support/temporary_folder.hpp"

namespace pgtandem {
namespace {

struct Segment {
    int id = ::shmget(IPC_PRIVATE, 56, IPC_CREAT | 0600);

    Segment() = default;
    Segment(Segment const&) = delete;
    Segment& operator=(Segment const&) = delete;
    ~Segment() { ::shmctl(id, IPC_RMID, nullptr); }
    bool is_there() const {
        shmid_ds about{};
        return ::shmctl(id, IPC_STAT, &about) == 0;
    }
};

// As a killed server leaves it.
std::string pidfile(int key, int id) {
    return "4711\n/data\n1700000000\n6441\n/sockets\n127.0.0.1\n" + std::to_string(key) + "    " + std::to_string(id) + "\nready   \n";
}

Path data_in(Path const& folder, std::string const& text) {
    auto data = folder / "nodes/node1/data";
    EXPECT_TRUE(make_directory(data / "base/5"));
    EXPECT_TRUE(write_file(data / "postmaster.pid", text));
    return data;
}

TEST(RemoveWithData, TakesTheSegmentOfAKilledServerAway) {
    TemporaryFolder const folder;
    for (auto const* what : {"nodes", "nodes/node1", "nodes/node1/data"}) {
        Segment const segment;
        ASSERT_GE(segment.id, 0);
        data_in(folder / "", pidfile(IPC_PRIVATE, segment.id));
        EXPECT_TRUE(remove_with_data(folder / what));
        EXPECT_FALSE(is_there(folder / what));
        EXPECT_FALSE(segment.is_there()) << what;
    }
}

TEST(RemoveWithData, LeavesOneThatIsInUseOrAnotherOnes) {
    TemporaryFolder const folder;
    Segment const used;
    auto* const place = ::shmat(used.id, nullptr, 0);
    data_in(folder / "", pidfile(IPC_PRIVATE, used.id));
    EXPECT_TRUE(remove_with_data(folder / "nodes"));
    EXPECT_TRUE(used.is_there());
    ::shmdt(place);
    Segment const other;
    data_in(folder / "", pidfile(12345, other.id));
    EXPECT_TRUE(remove_with_data(folder / "nodes"));
    EXPECT_TRUE(other.is_there());
}

TEST(RemoveWithData, TakesWhateverStandsInAPidfile) {
    TemporaryFolder const folder;
    for (auto const* text : {"", "4711\n", "1\n2\n3\n4\n5\n6\n\n", "1\n2\n3\n4\n5\n6\nno numbers\n", "1\n2\n3\n4\n5\n6\n7\n"}) {
        data_in(folder / "", text);
        EXPECT_TRUE(remove_with_data(folder / "nodes")) << text;
        EXPECT_FALSE(is_there(folder / "nodes"));
    }
    EXPECT_TRUE(remove_with_data(folder / "nowhere"));
}

}  // namespace
}  // namespace pgtandem
