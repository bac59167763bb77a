#include "instance/programs.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <vector>

#include "base/text.hpp"
#include "io/subprocess.hpp"

namespace pgtandem {

namespace fs = std::filesystem;

namespace {

constexpr char const* needed[] = {"postgres", "initdb", "pg_basebackup", "pg_controldata", "pg_verifybackup"};

std::string missing_program(Path const& folder) {
    for (auto const* program : needed) {
        if (::access((folder / program).c_str(), X_OK) != 0) return program;
    }
    return {};
}

Result<PgPrograms> inspect(Path const& folder) {
    if (auto const missing = missing_program(folder); !missing.empty()) {
        return fail("looking for PostgreSQL's programs", folder.string(), missing + " is not there or cannot be run");
    }
    StopSignal const never;
    PGTANDEM_TRY(outcome, run({folder / "postgres", {"--version"}}, never, Deadline::in(30s)));
    auto const version = parse_version(outcome.output);
    int major = 0;
    std::from_chars(version.data(), version.data() + version.size(), major);
    if (major == 0) return fail("asking for the version", (folder / "postgres").string(), explain(outcome));
    return PgPrograms{folder, major, version};
}

void add_version_folders(std::vector<Path>& places, Path const& parent, std::string_view prefix) {
    std::error_code error;
    for (fs::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error)) {
        auto const name = entry->path().filename().string();
        if (name.starts_with(prefix)) places.push_back(entry->path() / "bin");
    }
}

std::vector<Path> candidate_folders() {
    std::vector<Path> places;
    char const* const path = std::getenv("PATH");
    for (auto const& folder : split(path != nullptr ? path : "", ':')) {
        std::error_code error;
        // A link in PATH (or a wrapper's) leads to the folder where the other programs are.
        auto const postgres = fs::canonical(Path(folder) / "postgres", error);
        if (!folder.empty() && !error) places.push_back(postgres.parent_path());
    }
    add_version_folders(places, "/usr/lib/postgresql", "");
    add_version_folders(places, "/usr", "pgsql-");
    places.emplace_back("/usr/lib/postgresql/bin");
    places.emplace_back("/usr/local/pgsql/bin");
    std::ranges::sort(places);
    places.erase(std::unique(places.begin(), places.end()), places.end());
    std::erase_if(places, [](Path const& place) { return !missing_program(place).empty(); });
    return places;
}

tl::unexpected<Error> none_found(std::optional<int> major) {
    if (!major) {
        return fail("looking for PostgreSQL's programs", "PATH and the distribution's places", "there are none",
                    "apt-get install postgresql (Debian, Ubuntu), or --pg-bin FOLDER");
    }
    return fail("looking for PostgreSQL's programs", fmt::format("version {}", *major),
                "the cluster's data is of this version, and no such programs were found",
                fmt::format("apt-get install postgresql-{}, or --pg-bin FOLDER", *major));
}

}  // namespace

std::string parse_version(std::string_view line) {
    constexpr std::string_view start = "postgres (PostgreSQL) ";
    if (!line.starts_with(start)) return {};
    line.remove_prefix(start.size());
    return std::string(line.substr(0, line.find_first_of(" \n")));
}

Result<PgPrograms> find_programs(std::optional<Path> const& chosen, std::optional<int> major) {
    std::optional<PgPrograms> best;
    if (chosen) {
        PGTANDEM_TRY(found, inspect(*chosen));
        if (major && found.major != *major) {
            return fail(
                "looking for PostgreSQL's programs", chosen->string(),
                fmt::format("these are of version {}, the cluster's data is of version {}", found.version, *major),
                fmt::format("--pg-bin with the programs of version {}", *major));
        }
        best = found;
    } else {
        for (auto const& place : candidate_folders()) {
            auto const found = inspect(place);
            if (!found || (major && found->major != *major)) continue;
            if (!best || found->major > best->major) best = *found;
        }
    }
    if (!best) return none_found(major);
    if (best->major < oldest_supported_major) {
        return fail(
            "looking for PostgreSQL's programs", best->folder.string(),
            fmt::format("version {} is older than {}, the oldest supported", best->version, oldest_supported_major));
    }
    return *best;
}

}  // namespace pgtandem
