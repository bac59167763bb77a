// Statements and what is to be said of them, with the catalog of a small database.
#pragma once
#include <gtest/gtest.h>

#include "sql/verdict.hpp"

namespace pgtandem::sql {

struct VerdictCase {
    Reason reason;
    std::string_view text;
    std::string_view detail = {};  // not looked at where it is empty
};

// The rows that catalog_sections() gives of it.
inline std::vector<CatalogFacts::Row> small_catalog() {
    return {
        {"routines",
         "pg_catalog",
         {},
         "0 0 i count\n1 1 i count\n1 1 i sum\n0 0 s now\n0 0 v random\n0 0 v clock_timestamp\n1 1 v nextval\n1 1 v "
         "currval\n"
         "0 0 v lastval\n2 2 v setval\n1 1 v pg_advisory_lock\n1 1 v pg_try_advisory_xact_lock\n2 2 v pg_notify\n"
         "3 3 v set_config\n1 1 s current_setting\n2 2 s current_setting\n0 0 s pg_backend_pid\n1 1 s "
         "pg_stat_get_numscans\n"
         "0 0 v pg_current_wal_lsn\n0 0 v pg_last_wal_replay_lsn\n0 0 s txid_current\n0 0 v pg_export_snapshot\n"
         "1 1 v pg_relation_size\n1 1 v lo_creat\n1 1 v pg_terminate_backend\n0 0 v pg_is_in_recovery\n1 1 i lower\n"
         "0 255 s concat\n2 2 i percentile_cont\n0 255 i rank\n0 0 i rank\n0 0 i row_number\n2 3 i generate_series\n"
         "2 2 i date_part\n2 2 i timezone\n2 2 i like_escape\n0 255 s json_build_object\n1 1 i xmlcomment\n1 1 v "
         "bernoulli\n"
         "1 1 v system\n1 1 v setseed\n2 2 v query_to_xml\n1 1 v pg_sleep\n1 1 i date\n3 7 i make_interval\n0 7 i "
         "make_interval\n"
         "1 1 s pg_walfile_name\n1 2 i btrim\n1 1 i unnest\n2 2 i position\n3 3 i substring\n4 4 i overlaps"},
        {"routines",
         "public",
         {},
         "1 1 i pure\n0 0 s steady\n1 1 v writer\n2 2 s writer\n0 0 s liar\n0 0 s listener\n1 1 v careless_c\n0 1 s "
         "defaulted\n"
         "1 1 i total\n1 1 i bad_total\n2 2 i add\n2 2 v move\n1 1 v plus_one\n1 1 v lower\n1 1 s dblink"},
        {"routines", "app", {}, "0 0 v steady\n1 1 s reader\n0 0 s through_view\n1 1 v tsm_own"},
        {"function", "writer", {}, "volatile"},
        {"function", "move", {}, "volatile"},
        {"function", "plus_one", {}, "volatile"},
        {"code", "steady", {}, "SELECT now()"},
        {"code", "liar", {}, "SELECT writer(1)"},
        {"code", "listener", {}, "begin perform pg_notify('a', 'b'); end"},
        {"code", "through_view", {}, "SELECT count(*) FROM counters"},
        {"calls", "total", "pure", {}},
        {"calls", "bad_total", "writer", {}},
        {"relations",
         "pg_catalog",
         {},
         "1259r pg_class\n2r pg_statistic\n3v pg_stats\n4v pg_stat_activity\n5v pg_locks\n6v pg_settings\n7v "
         "pg_sequences"},
        {"relations", "information_schema", {}, "10v tables"},
        {"relations",
         "public",
         {},
         "20r items\n21r orders\n22u counters\n23f remote\n24S items_id_seq\n25v plain_view\n26v writing_view\n27v "
         "remote_view\n"
         "28p parts\n29f part_remote\n30r guarded\n31m stored\n32v activity\n"
         "33v locking_view\n34v through_locking"},
        {"relations", "app", {}, "40u items\n41r users"},
        {"relation", "20", "items", {}},
        {"uses", "25", "pure", "r"},
        {"edge", "25", "20", "rr"},
        {"uses", "26", "writer", "r"},
        {"edge", "27", "25", "rr"},
        {"edge", "27", "23", "rr"},
        {"edge", "28", "29", "rr"},
        {"uses", "30", "listener", "r"},
        {"edge", "31", "23", "rr"},
        {"edge", "32", "4", "rr"},
        {"locks", "33", {}, {}},
        {"locks", "31", {}, {}},
        {"edge", "34", "33", "rr"},
        {"operators", {}, {}, "=\n<>\n<\n>\n<=\n>=\n+\n-\n*\n||\n~~\n<->\n<=>"},
        {"operator", "<->", "move", {}},
        {"operator", "<=>", "add", {}},
    };
}

inline Verdict verdict_of(std::string_view text, SearchPath const& path = {}, FunctionOverrides const& overrides = {}) {
    auto const facts = CatalogFacts::from_rows(small_catalog(), overrides);
    return facts ? verdict(text, true, *facts, path) : Verdict{.detail = facts.error().line()};
}

// 'items' and 'steady' of another schema are not harmless, so the path matters.
inline void expect_verdicts(std::span<VerdictCase const> cases,
                            SearchPath const& path = std::vector<std::string>{"public"}) {
    auto const facts = CatalogFacts::from_rows(small_catalog(), {});
    ASSERT_TRUE(facts);
    for (auto const& expected : cases) {
        auto const found = verdict(expected.text, true, *facts, path);
        EXPECT_EQ(name(found.reason), name(expected.reason)) << expected.text << ": " << found.detail;
        EXPECT_EQ(found.may_read, expected.reason == Reason::read) << expected.text;
        EXPECT_EQ(found.detail, expected.detail.empty() ? found.detail : expected.detail) << expected.text;
    }
}

}  // namespace pgtandem::sql
