#include "instance/server_log.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include "support/temporary_folder.hpp"

namespace pgtandem {

namespace fs = std::filesystem;

class ServerLog : public testing::Test {
protected:
    ServerLog() { fs::create_directory(node_.log()); }

    void add(std::string const& name, std::uintmax_t bytes, int hours_ago) {
        auto const path = node_.log() / name;
        std::ofstream(path).close();
        fs::resize_file(path, bytes);
        fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(hours_ago));
    }

    std::set<std::string> names() const {
        std::set<std::string> found;
        for (auto const& entry : fs::directory_iterator(node_.log())) found.insert(entry.path().filename().string());
        return found;
    }

    TemporaryFolder folder_;
    NodePaths node_{folder_.path()};
};

TEST_F(ServerLog, TheOldestGoUntilTheRestFits) {
    add("postgresql-2026-01-01_000000.log", 40, 4);
    add("postgresql-2026-01-01_000000.csv", 40, 3);
    add("postgresql-2026-01-03_000000.log", 40, 2);
    add("postgresql-2026-01-02_000000.json", 40, 1);
    remove_oldest_server_logs(node_, 160);
    EXPECT_EQ(names().size(), 4U);
    remove_oldest_server_logs(node_, 100);
    EXPECT_EQ(names(), (std::set<std::string>{"postgresql-2026-01-03_000000.log", "postgresql-2026-01-02_000000.json"}));
}

TEST_F(ServerLog, TheNewestIsBeingWrittenTo) {
    add("postgresql-2026-01-01_000000.log", 40, 2);
    add("postgresql-2026-01-02_000000.log", 1000, 1);
    remove_oldest_server_logs(node_, 100);
    EXPECT_EQ(names(), std::set<std::string>{"postgresql-2026-01-02_000000.log"});
}

TEST_F(ServerLog, FilesOfOtherNamesAreSomebodysOwn) {
    std::set<std::string> const own{"postgresql-Mon.log", "postgresql-2026-01-01.log", "postgresql-2026-01-01_000000.log.gz", "mine.log", "postgresql-2026-01-01_00000x.log"};
    for (auto const& name : own) add(name, 1000, 2);
    add("postgresql-2026-01-01_000000.log", 1, 1);
    remove_oldest_server_logs(node_, 100);
    for (auto const& name : own) EXPECT_TRUE(names().contains(name)) << name;
}

TEST_F(ServerLog, AFolderThatIsNotThereIsNoMatter) {
    fs::remove(node_.log());
    remove_oldest_server_logs(node_);
}

}  // namespace pgtandem
