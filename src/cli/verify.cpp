#include "cli/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.hpp"
#include "cli/proof.hpp"
#include "client/session.hpp"
#include "pg/quoting.hpp"

namespace pgtandem::cli {

namespace {

constexpr auto patience = 5s;

Deadline soon() { return Deadline::in(patience); }

// What a check found: nothing wrong and a word on it, or what is wrong and what to try.
struct Finding {
    bool passed;
    std::string detail;
    std::string hint{};
};

Finding good(std::string detail = {}) { return {true, std::move(detail)}; }
Finding bad(std::string detail, std::string hint = {}) { return {false, std::move(detail), std::move(hint)}; }
Finding bad(Error const& error, std::string hint = {}) { return bad(error.why, std::move(hint)); }

// The settings a replica may not have lower than its primary.
constexpr char const* limits = "{max_connections,max_locks_per_transaction,max_prepared_transactions,"
                               "max_wal_senders,max_worker_processes}";

class Verifier {
public:
    Verifier(api::Topology const& topology, std::function<void(api::Check const&)> const& on_check)
        : topology_(topology), on_check_(on_check) {}

    std::vector<api::Check> run() {
        check("pgtandem keeps the cluster running", [&] { return attended(); });
        for (auto const& node : topology_.nodes) check_node(node);
        if (!admin(topology_.primary())) return std::move(checks_);
        for (auto const& node : topology_.nodes) {
            if (!node.is_primary) check_replication(node);
        }
        check(topology_.primary().name + " archives its WAL", [&] { return archives(); });
        check("durability " + topology_.durability + " holds", [&] { return durable(); });
        check("a table made on the primary is seen on every replica", [&] { return replicates(); });
        if (topology_.endpoint && topology_.up_process != 0) check("the endpoint leads to the primary", [&] { return endpoint_answers(); });
        return std::move(checks_);
    }

private:
    template <class Find>
    void check(std::string name, Find find) {
        auto const begun = Clock::now();
        Finding finding = find();
        checks_.push_back({std::move(name), finding.passed, std::move(finding.detail), std::move(finding.hint),
                           Clock::now() - begun});
        on_check_(checks_.back());
    }

    Finding endpoint_answers() const {
        auto session = Session::connect(*topology_.endpoint, soon());
        if (!session) return bad(session.error(), "pgtandem status, and the log below " + topology_.folder.string());
        auto const rows = session->query("SELECT pg_catalog.pg_is_in_recovery() /* pgtandem: primary */", soon());
        if (!rows) return bad(rows.error());
        if (rows->value() != "f") return bad("it leads to a server in recovery");
        return good(to_address(*topology_.endpoint));
    }

    void check_node(api::Node const& node) {
        check(node.name + " answers", [&] { return answers(node); });
        if (!admin(node)) return;
        check(node.name + " is a " + (node.is_primary ? "primary" : "replica"), [&] { return has_its_role(node); });
        check(node.name + " lets the user in", [&] { return lets_user_in(node); });
        check(node.name + " refuses a wrong password", [&] { return refuses_wrong_password(node); });
        check(node.name + " has its pg_hba.conf in order", [&] { return hba_in_order(node); });
        check(node.name + " has the cluster's settings", [&] { return settings_in_order(node); });
        if (!node.is_primary) check(node.name + " refuses writes", [&] { return refuses_writes(node); });
    }

    void check_replication(api::Node const& node) {
        check(node.name + " has its slot on the primary", [&] { return has_slot(node); });
        check("the primary lets " + node.name + " replicate", [&] { return may_replicate(node); });
        if (!admin(node)) return;
        check(node.name + " streams from the primary", [&] { return streams(node); });
        check(node.name + " replays what it gets", [&] { return replays(node); });
        check(node.name + " has the primary's limits", [&] { return has_limits(node); });
        check(node.name + " has tablespaces of its own", [&] { return has_own_tablespaces(node); });
    }

    Finding attended() {
        if (topology_.up_process > 0) return good(fmt::format("process {}", topology_.up_process));
        return bad("no pgtandem runs for it: a server that dies stays dead", "pgtandem up");
    }

    Finding answers(api::Node const& node) {
        if (node.process == "stopped") {
            return bad("the server is stopped", node.error.empty() ? "pgtandem up" : node.error);
        }
        auto session = Session::connect(node.monitor, soon());
        if (!session) return bad(session.error(), "see the logs in " + (node.data.parent_path() / "log").string());
        auto const version = session->query("SHOW server_version", soon());
        if (!version) return bad(version.error());
        sessions_.emplace(node.name, std::move(*session));
        return good("PostgreSQL " + version->value());
    }

    Finding has_its_role(api::Node const& node) {
        auto const rows =
            ask(node, "SELECT pg_catalog.pg_is_in_recovery(), (SELECT system_identifier FROM pg_catalog.pg_control_system())");
        if (!rows) return bad(rows.error());
        auto const& row = *rows->begin();
        if (row[1] != topology_.system_identifier) return bad("it is a server of another cluster");
        if ((row[0] == "t") != node.is_primary) return good();
        if (node.is_primary) return bad("it is in recovery and takes no writes");
        return bad("it has been promoted and takes writes of its own", "pgtandem replica reinit " + node.name);
    }

    Finding lets_user_in(api::Node const& node) {
        auto const session = Session::connect(node.user, soon());
        if (session) return good(fmt::format("{} to {}", node.user.user, node.user.database));
        return bad(session.error(),
                   fmt::format("ALTER ROLE with the password in {}, or pgtandem up --env-file with the new one",
                               (topology_.folder / "credentials.env").string()));
    }

    Finding refuses_wrong_password(api::Node const& node) {
        auto conninfo = node.user;
        conninfo.passfile.clear();
        conninfo.password = "wrong-" + node.name + "-password";
        auto const session = Session::connect(conninfo, soon());
        if (session) return bad("it let in the user with a wrong password", "look for 'trust' in its pg_hba.conf");
        return good();
    }

    Finding hba_in_order(api::Node const& node) {
        auto const rows =
            ask(node, "SELECT line_number, coalesce(error, ''), coalesce(auth_method, '') "
                      "FROM pg_catalog.pg_hba_file_rules WHERE error IS NOT NULL "
                      "OR auth_method OPERATOR(pg_catalog.=) ANY ('{trust,password}')");
        if (!rows) return bad(rows.error());
        auto const file = (node.data / "pg_hba.conf").string();
        for (auto const& row : *rows) {
            auto const why = row[1]->empty() ? "its method is " + *row[2] : *row[1];
            return bad(fmt::format("{} line {}: {}", file, *row[0], why),
                       "mend the line, then SELECT pg_reload_conf()");
        }
        auto const needed = ask(node, "SELECT pg_catalog.count(*) FROM pg_catalog.pg_hba_file_rules WHERE pg_catalog.starts_with(type, 'host') "
                                      "AND 'replication' OPERATOR(pg_catalog.=) ANY (database) "
                                      "AND 'pgtandem_replication' OPERATOR(pg_catalog.=) ANY (user_name)");
        if (!needed) return bad(needed.error());
        if (needed->value() == "0") {
            return bad(file + " has no line for the replication role",
                       "host replication pgtandem_replication 127.0.0.1/32 scram-sha-256");
        }
        return good();
    }

    Finding settings_in_order(api::Node const& node) {
        auto const ours = (node.data / "pgtandem.conf").string();
        auto const rows = ask(node, "SELECT name, coalesce(error, ''), sourcefile, applied FROM pg_catalog.pg_file_settings "
                                    "WHERE error IS NOT NULL OR sourcefile OPERATOR(pg_catalog.=) " +
                                        literal(ours));
        if (!rows) return bad(rows.error());
        auto const own =
            static_cast<std::size_t>(std::ranges::count_if(*rows, [&](auto const& row) { return row[2] == ours; }));
        if (own == 0) {
            return bad(ours + " is not read", "put the line \"include 'pgtandem.conf'\" back into postgresql.conf");
        }
        for (auto const& row : *rows) {
            auto const name = row[0].value_or("a line");
            if (!row[1]->empty()) {
                return bad(fmt::format("{} in {}: {}", name, row[2].value_or(""), *row[1]),
                           "restart, or mend the file");
            }
            if (row[3] != "t") {
                return bad(fmt::format("{} is set over by another file", name),
                           "ALTER SYSTEM RESET " + name + ", then SELECT pg_reload_conf()");
            }
        }
        return in_effect(node, own);
    }

    // What the files say and what the server runs with: the same?
    Finding in_effect(api::Node const& node, std::size_t count) {
        auto const pending = ask(node, "SELECT name FROM pg_catalog.pg_settings WHERE pending_restart");
        if (!pending) return bad(pending.error());
        if (!pending->empty()) return bad(pending->value() + " waits for a restart", "pgtandem down, then pgtandem up");
        auto const modes = ask(
            node, "SELECT pg_catalog.concat(name, ' is ', setting) FROM pg_catalog.pg_settings "
                  "WHERE (name OPERATOR(pg_catalog.=) 'wal_level' AND setting OPERATOR(pg_catalog.=) 'minimal') "
                  "OR (name OPERATOR(pg_catalog.=) ANY ('{data_checksums,hot_standby,wal_log_hints,archive_mode}') "
                  "AND setting OPERATOR(pg_catalog.=) 'off')");
        if (!modes) return bad(modes.error());
        if (!modes->empty()) return bad(modes->value());
        return good(fmt::format("{} settings", count));
    }

    Finding refuses_writes(api::Node const& node) {
        auto session = Session::connect(node.user, soon());
        if (!session) return bad(session.error());
        auto const made = session->run_script("BEGIN; CREATE SCHEMA pgtandem_refused; ROLLBACK", soon());
        constexpr char const* read_only_sql_transaction = "25006";
        if (made) return bad("it took a write", "pgtandem replica reinit " + node.name);
        if (made.error().sqlstate != read_only_sql_transaction) return bad(made.error());
        return good();
    }

    Finding has_slot(api::Node const& node) {
        auto const rows =
            ask(topology_.primary(), "SELECT active, coalesce(wal_status, '') FROM pg_catalog.pg_replication_slots "
                                     "WHERE slot_name OPERATOR(pg_catalog.=) " +
                                         literal("pgtandem_" + node.name));
        if (!rows) return bad(rows.error());
        auto const again = "pgtandem replica reinit " + node.name;
        if (rows->empty()) return bad("it is missing", again);
        auto const& row = *rows->begin();
        if (row[1] == "lost") return bad("it has lost WAL the replica needs", again);
        if (row[0] != "t") return bad("it is inactive: no replica uses it", "pgtandem status");
        return good("active");
    }

    Finding may_replicate(api::Node const& node) {
        auto session = Session::connect(node.replication, soon());
        if (!session) {
            return bad(session.error(),
                       "look at the replication lines of the primary's pg_hba.conf, and at the role's password");
        }
        auto const identity = session->run_script("IDENTIFY_SYSTEM", soon());
        if (!identity) return bad(identity.error());
        if (identity->value() != topology_.system_identifier) return bad("another cluster answers there");
        return good();
    }

    Finding streams(api::Node const& node) {
        auto const rows = ask(node, "SELECT w.status, w.sender_port, w.slot_name, w.received_tli "
                                    "FROM pg_catalog.pg_stat_wal_receiver w");
        if (!rows) return bad(rows.error());
        if (rows->empty() || *rows->begin()->at(0) != "streaming") {
            return bad("it gets no WAL from the primary",
                       "see the logs in " + (node.data.parent_path() / "log").string());
        }
        auto const& row = *rows->begin();
        if (row[1] != std::to_string(topology_.primary().user.port)) {
            return bad("it streams from port " + row[1].value_or("?"));
        }
        auto const sender = ask(topology_.primary(),
                                "SELECT state FROM pg_catalog.pg_stat_replication WHERE application_name OPERATOR(pg_catalog.=) " + literal(node.name));
        if (!sender) return bad(sender.error());
        if (sender->value() != "streaming") {
            return bad("the primary says: " + (sender->empty() ? "no such replica" : sender->value()));
        }
        return good("timeline " + row[3].value_or("?"));
    }

    Finding replays(api::Node const& node) {
        auto const paused = ask(node, "SELECT pg_catalog.pg_is_wal_replay_paused()");
        if (!paused) return bad(paused.error());
        if (paused->value() == "t") return bad("its replay is paused", "SELECT pg_wal_replay_resume() on " + node.name);
        auto const delay =
            ask(node, "SELECT setting FROM pg_catalog.pg_settings "
                      "WHERE name OPERATOR(pg_catalog.=) 'recovery_min_apply_delay' AND setting OPERATOR(pg_catalog.<>) '0'");
        if (delay && !delay->empty()) return good("delayed by " + delay->value() + " ms");
        return good();
    }

    Finding has_limits(api::Node const& node) {
        auto const query =
            fmt::format("SELECT name, setting FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) ANY ('{}') ORDER BY name", limits);
        auto const here = ask(node, query);
        auto const there = ask(topology_.primary(), query);
        if (!here) return bad(here.error());
        if (!there) return bad(there.error());
        auto other = there->begin();
        for (auto const& row : *here) {
            auto const mine = std::atol(row[1]->c_str());
            auto const primary = std::atol((*other++)[1]->c_str());
            if (mine < primary) return bad(fmt::format("{} is {} here and {} on the primary", *row[0], mine, primary));
        }
        return good();
    }

    // A tablespace made while a replica of the same machine runs lies, as its place is replayed, in one folder for
    // both.
    Finding has_own_tablespaces(api::Node const& node) {
        constexpr char const* query = "SELECT spcname, pg_catalog.pg_tablespace_location(oid) FROM pg_catalog.pg_tablespace ORDER BY oid";
        auto const here = ask(node, query);
        auto const there = ask(topology_.primary(), query);
        if (!here) return bad(here.error());
        if (!there) return bad(there.error());
        for (auto const& row : *here) {
            bool const is_shared = row[1]->starts_with('/') && std::ranges::find(*there, row) != there->end();
            if (is_shared) {
                return bad(
                    fmt::format("{} lies in {} for the primary too: they write over each other", *row[0], *row[1]),
                    "pgtandem replica reinit " + node.name);
            }
        }
        return good();
    }

    Finding archives() {
        auto const rows =
            ask(topology_.primary(),
                "SELECT archived_count, coalesce(last_archived_wal, ''), coalesce(last_failed_wal, ''), "
                "coalesce(last_failed_time OPERATOR(pg_catalog.>) coalesce(last_archived_time, '-infinity'), false) "
                "FROM pg_catalog.pg_stat_archiver");
        if (!rows) return bad(rows.error());
        auto const& row = *rows->begin();
        if (row[3] == "t") return bad(*row[2] + " cannot be archived", "see the primary's log; is the disk full?");
        return good(row[1]->empty() ? "nothing to archive yet"
                                    : fmt::format("{} files, the last is {}", *row[0], *row[1]));
    }

    Finding durable() {
        if (topology_.durability == "async") return good("commits wait for nobody");
        auto const replicas = topology_.nodes.size() - 1;
        if (topology_.sync_set.empty() && replicas > 0) {
            return bad("no replica holds commits: the primary goes on alone", "pgtandem status");
        }
        auto const names = ask(topology_.primary(), "SHOW synchronous_standby_names");
        if (!names) return bad(names.error());
        for (auto const& name : topology_.sync_set) {
            if (names->value().find('"' + name + '"') == std::string::npos) {
                return bad("PostgreSQL does not wait for " + name);
            }
        }
        return good(replicas == 0 ? "there are no replicas" : "commits wait for " + join(topology_.sync_set, " or "));
    }

    Finding replicates() {
        auto const proof = prove_replication(topology_, soon());
        if (!proof) return bad(proof.error().line());
        return good(describe(*proof, topology_));
    }

    Session* admin(api::Node const& node) {
        auto const found = sessions_.find(node.name);
        return found != sessions_.end() && found->second.usable() ? &found->second : nullptr;
    }

    Result<Rows> ask(api::Node const& node, std::string const& sql) {
        auto* const session = admin(node);
        if (session == nullptr) return fail("asking", node.name, node.name + " does not answer");
        return session->query(sql, soon());
    }

    static std::string literal(std::string const& text) { return quoted_literal(text); }

    api::Topology const& topology_;
    std::function<void(api::Check const&)> const& on_check_;
    std::map<std::string, Session> sessions_;
    std::vector<api::Check> checks_;
};

}  // namespace

std::vector<api::Check> verify(api::Topology const& topology, std::function<void(api::Check const&)> const& on_check) {
    return Verifier(topology, on_check).run();
}

std::string render_check(api::Check const& check) {
    auto text = fmt::format("{}  {} ({})", check.passed ? "ok  " : "FAIL", check.name, human_duration(check.took));
    if (!check.detail.empty()) text += ": " + check.detail;
    if (!check.passed && !check.hint.empty()) text += "\n      try: " + check.hint;
    return text + "\n";
}

}  // namespace pgtandem::cli
