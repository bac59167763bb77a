#include "cli/proof.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/random.hpp"
#include "base/text.hpp"
#include "client/session.hpp"

namespace pgtandem::cli {

namespace {

struct Reader {
    std::string name;
    Session session;
};

Result<std::vector<Reader>> open_readers(api::Topology const& topology, Deadline deadline) {
    std::vector<Reader> readers;
    for (auto const& node : topology.nodes) {
        if (node.is_primary) continue;
        for (;;) {
            auto session = Session::connect(node.user, deadline);
            if (session) {
                readers.push_back({node.name, std::move(*session)});
                break;
            }
            // The user's role and database may still be on their way: invalid authorization, unknown database.
            if (deadline.passed()) return fail(std::move(session).error());
            ::usleep(1000);
        }
    }
    return readers;
}

// The row as the replica shows it. Asked for only once the table is there: every error would be in the server's log.
Result<bool> shows_row(Reader& reader, std::string const& table, std::string const& word, Deadline deadline) {
    PGTANDEM_TRY(place, reader.session.query("SELECT pg_catalog.to_regclass($1)", {table}, deadline));
    if (place.value().empty()) return false;
    PGTANDEM_TRY(rows, reader.session.query("SELECT word FROM " + table, deadline));
    return rows.value() == word;
}

Status wait_for_row(Reader& reader, std::string const& table, std::string const& word, Deadline deadline) {
    for (;;) {
        auto const shown = shows_row(reader, table, word, deadline);
        if (!shown) return fail(Error(shown.error()).within("reading on " + reader.name));
        if (*shown) return {};
        if (deadline.passed()) {
            return fail(Error{"reading on " + reader.name, table, "the row written on the primary has not come", "",
                              ErrorKind::timed_out});
        }
        ::usleep(200);
    }
}

}  // namespace

Result<Proof> prove_replication(api::Topology const& topology, Deadline deadline) {
    PGTANDEM_TRY(writer, Session::connect(topology.primary().user, deadline));
    PGTANDEM_TRY(readers, open_readers(topology, deadline));
    auto const word = random_word(12);
    // In a schema of its own: in one that others have, they could prepare something for it.
    auto schema = "pgtandem_proof_" + word;
    std::ranges::transform(schema, schema.begin(), [](unsigned char letter) { return std::tolower(letter); });
    auto const table = schema + ".proof";
    Proof proof{};
    auto const begun = Clock::now();
    PGTANDEM_CHECK(writer.run_script(
        fmt::format("BEGIN; CREATE SCHEMA {0}; CREATE TABLE {1} (word pg_catalog.text); INSERT INTO {1} VALUES ('{2}'); COMMIT",
                    schema, table, word),
        deadline));
    auto const committed = Clock::now();
    proof.write_took = committed - begun;
    Status all_read;
    for (auto& reader : readers) {
        all_read = wait_for_row(reader, table, word, deadline);
        if (!all_read) break;
        proof.read_after[reader.name] = Clock::now() - committed;
    }
    auto const dropped = writer.run_script(fmt::format("BEGIN; DROP TABLE {}; DROP SCHEMA {}; COMMIT", table, schema), Deadline::in(10s));
    PGTANDEM_CHECK(all_read);
    if (!dropped) return fail(dropped.error());
    return proof;
}

std::string describe(Proof const& proof, api::Topology const& topology) {
    auto text = fmt::format("a row written on {} in {}", topology.primary().name, human_duration(proof.write_took));
    std::vector<std::string> reads;
    for (auto const& [name, after] : proof.read_after) {
        reads.push_back(fmt::format("{} after {}", name, human_duration(after)));
    }
    if (!reads.empty()) text += " was read on " + join(reads, ", on ");
    return text;
}

}  // namespace pgtandem::cli
