#include "instance/configuration.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/text.hpp"
#include "instance/credentials.hpp"
#include "io/subprocess.hpp"
#include "support/temporary_folder.hpp"

namespace pgtandem {

namespace {

ClusterPaths const paths{"/srv/it's 100%"};

// name -> value as it stands in the file; fails where a name stands twice.
std::map<std::string, std::string> parsed(std::string const& text) {
    std::map<std::string, std::string> settings;
    for (auto const& line : split_lines(text)) {
        if (line.starts_with('#')) continue;
        auto const equals = line.find(" = ");
        EXPECT_NE(equals, std::string::npos) << line;
        EXPECT_TRUE(settings.emplace(line.substr(0, equals), line.substr(equals + 3)).second) << line;
    }
    return settings;
}

std::map<std::string, std::string> of_primary(Settings const& asked = {}) {
    return parsed(render_settings({"node1", "127.0.0.1", 6441, "", "", "ANY 1 (\"node2\")", asked}, paths));
}

std::map<std::string, std::string> of_replica() {
    return parsed(render_settings({"node2", "127.0.0.1", 6442, "host='x'", "pgtandem_node2", "", {}}, paths));
}

std::vector<std::vector<std::string>> hba_lines(std::string const& listen) {
    std::vector<std::vector<std::string>> lines;
    for (auto const& line : split_lines(render_hba(listen))) {
        if (line.starts_with('#')) continue;
        auto& words = lines.emplace_back(split(line, ' '));
        std::erase(words, "");
    }
    return lines;
}

}  // namespace

TEST(RenderSettings, makes_a_primary_that_replicas_can_follow) {
    auto const settings = of_primary();
    EXPECT_EQ(settings.at("wal_level"), "'replica'");
    EXPECT_EQ(settings.at("wal_log_hints"), "'on'");
    EXPECT_EQ(settings.at("synchronous_standby_names"), "'ANY 1 (\"node2\")'");
    EXPECT_EQ(settings.at("primary_conninfo"), "''");
    EXPECT_EQ(settings.at("port"), "'6441'");
    EXPECT_EQ(settings.at("password_encryption"), "'scram-sha-256'");
}

TEST(RenderSettings, only_the_primary_archives) {
    EXPECT_NE(of_primary().at("archive_command"), "''");
    EXPECT_EQ(of_replica().at("archive_command"), "''");
    EXPECT_EQ(of_replica().at("primary_slot_name"), "'pgtandem_node2'");
    EXPECT_EQ(of_replica().at("primary_conninfo"), "'host=''x'''");
}

TEST(RenderSettings, the_users_settings_win_and_stand_once) {
    auto const settings = of_primary({{"wal_keep_size", "1GB"}, {"work_mem", "it's"}});
    EXPECT_EQ(settings.at("wal_keep_size"), "'1GB'");
    EXPECT_EQ(settings.at("work_mem"), "'it''s'");
}

TEST(RenderSettings, commands_hold_paths_of_any_kind) {
    // %% is one % in a command of PostgreSQL's; the path is one word of the shell; quotes are doubled in the file.
    EXPECT_EQ(of_replica().at("restore_command"), "'cp ''/srv/it''\\\\''''s 100%%/archive''/\"%f\" \"%p\"'");
}

TEST(RenderHba, trusts_nobody_and_ends_with_no_open_line) {
    for (auto const* listen : {"127.0.0.1", "*", "10.0.0.1"}) {
        for (auto const& words : hba_lines(listen)) {
            EXPECT_TRUE(words.back() == "scram-sha-256" || words.back() == "reject") << render_hba(listen);
        }
    }
}

TEST(RenderHba, lets_our_own_roles_in_from_this_machine_only) {
    for (auto const* listen : {"127.0.0.1", "*"}) {
        auto const lines = hba_lines(listen);
        bool is_rejected = false;
        for (auto const& words : lines) {
            if (words[0] == "host" && words[1] == "replication") {
                EXPECT_EQ(words[2], replication_role);
                EXPECT_TRUE(words[3] == "127.0.0.1/32" || words[3] == "::1/128") << words[3];
            }
            if (words.back() == "reject") is_rejected = words[2] == std::string(admin_role) + "," + replication_role;
            bool const is_for_users = words[0] == "host" && words[2] == "all";
            EXPECT_TRUE(is_rejected || !is_for_users) << "users come before the rejection";
        }
        EXPECT_TRUE(is_rejected);
    }
}

TEST(RenderHba, opens_to_other_hosts_only_when_the_servers_listen_there) {
    auto const is_open = [](std::string const& listen) {
        for (auto const& words : hba_lines(listen)) {
            if (words[0] == "host" && words[2] == "all" && words[3] == "all") return true;
        }
        return false;
    };
    EXPECT_FALSE(is_open("127.0.0.1"));
    EXPECT_FALSE(is_open("localhost,::1"));
    EXPECT_TRUE(is_open("*"));
    EXPECT_TRUE(is_open("127.0.0.1,10.0.0.1"));
}

TEST(ListenAddresses, always_hold_loopback_for_the_replicas) {
    struct Case {
        std::string listen, addresses;
        bool loopback;
    };
    for (auto const& [listen, addresses, loopback] : {Case{"127.0.0.1", "127.0.0.1", true},
                                                      {"localhost", "localhost", true},
                                                      {"*", "*", false},
                                                      {"0.0.0.0", "0.0.0.0", false},
                                                      {"10.0.0.1", "10.0.0.1,127.0.0.1", false},
                                                      {"10.0.0.1, localhost", "10.0.0.1, localhost", false},
                                                      {"::1", "::1,127.0.0.1", true},
                                                      {"127.0.0.2", "127.0.0.2,127.0.0.1", true}}) {
        EXPECT_EQ(listen_addresses(listen), addresses);
        EXPECT_EQ(is_loopback(listen), loopback) << listen;
    }
}

TEST(KeptSettings, say_why_and_the_users_own_do_not) {
    for (auto const* name : {"port", "listen_addresses", "archive_command", "synchronous_standby_names", "hba_file",
                             "primary_conninfo", "recovery_target_time", "cluster_name"}) {
        EXPECT_FALSE(why_setting_is_kept(name, "x").empty()) << name;
    }
    EXPECT_EQ(why_setting_is_kept("work_mem", "16MB"), "");
    EXPECT_EQ(why_setting_is_kept("wal_level", "logical"), "");
    EXPECT_FALSE(why_setting_is_kept("wal_level", "minimal").empty());
}

TEST(ReplicationConninfo, has_a_role_of_its_own_and_no_password_in_it) {
    auto const conninfo = replication_conninfo(paths, 6441, "node2");
    EXPECT_EQ(conninfo.user, replication_role);
    EXPECT_EQ(conninfo.application_name, "node2");
    EXPECT_EQ(conninfo.passfile, paths.replication_passfile());
    EXPECT_TRUE(conninfo.password.empty());
}

class ArchiveScript : public testing::Test {
protected:
    ArchiveScript() {
        EXPECT_TRUE(make_directory(archive_));
        EXPECT_TRUE(write_file(folder_ / "script", render_archive_script(archive_, 3)));
    }

    // What archive_command gives back for a WAL file of this name and content.
    int keep(std::string const& name, std::string const& content) {
        EXPECT_TRUE(write_file(folder_ / "wal", content));
        StopSignal const never;
        auto const outcome = run({"/bin/sh", {(folder_ / "script").string(), (folder_ / "wal").string(), name}}, never,
                                 Deadline::in(60s));
        return outcome ? outcome->status : -1;
    }

    std::set<std::string> kept() const {
        std::set<std::string> names;
        for (auto const& entry : std::filesystem::directory_iterator(archive_)) names.insert(entry.path().filename());
        return names;
    }

    TemporaryFolder folder_;
    Path archive_ = folder_ / "it's an archive";
};

TEST_F(ArchiveScript, keeps_a_file_once_and_never_another_of_its_name) {
    std::string const name = "000000010000000000000001";
    EXPECT_EQ(keep(name, "wal"), 0);
    EXPECT_EQ(keep(name, "wal"), 0);
    EXPECT_NE(keep(name, "other"), 0);
    EXPECT_EQ(read_file(archive_ / name), "wal");
    EXPECT_EQ(kept(), std::set<std::string>{name});
}

TEST_F(ArchiveScript, lets_the_oldest_segments_go_and_keeps_histories) {
    EXPECT_EQ(keep("00000002.history", "h"), 0);
    for (char const last : std::string("12345"))
        EXPECT_EQ(keep("00000001000000000000000" + std::string(1, last), "w"), 0);
    EXPECT_EQ(kept(), (std::set<std::string>{"00000002.history", "000000010000000000000003", "000000010000000000000004",
                                             "000000010000000000000005"}));
}

}  // namespace pgtandem
