#include "instance/server_log.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/log.hpp"

namespace pgtandem {

namespace {

namespace fs = std::filesystem;

struct LogFile {
    Path path;
    fs::file_time_type time;
    std::uint64_t bytes;
};

// postgresql-2026-01-31_235959.log, also .csv and .json: a 0 stands for any digit.
bool is_named_by_default(std::string_view name) {
    constexpr std::string_view shape = "postgresql-0000-00-00_000000";
    auto const ending = name.substr(std::min(shape.size(), name.size()));
    if (ending != ".log" && ending != ".csv" && ending != ".json") return false;
    return std::equal(shape.begin(), shape.end(), name.begin(),
                      [](char expected, char found) { return expected == '0' ? found >= '0' && found <= '9' : expected == found; });
}

std::vector<LogFile> log_files(Path const& folder) {
    std::vector<LogFile> files;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        std::error_code gone;
        if (!is_named_by_default(entry->path().filename().native())) continue;
        LogFile file{entry->path(), entry->last_write_time(gone), 0};
        if (!gone) file.bytes = entry->file_size(gone);
        if (!gone) files.push_back(std::move(file));
    }
    return files;
}

}  // namespace

void remove_oldest_server_logs(NodePaths const& node, std::uint64_t bytes_max) {
    auto files = log_files(node.log());
    std::ranges::sort(files, {}, &LogFile::time);
    std::uint64_t all = 0;
    for (auto const& file : files) all += file.bytes;
    for (std::size_t at = 0; at + 1 < files.size() && all > bytes_max; ++at) {
        std::error_code error;
        fs::remove(files[at].path, error);
        if (error) return log::warn("{} cannot be removed: {}", files[at].path.string(), error.message());
        all -= files[at].bytes;
    }
}

}  // namespace pgtandem
