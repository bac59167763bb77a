#include "instance/data_folders.hpp"

#include <sys/ipc.h>
#include <sys/shm.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.hpp"

namespace pgtandem {

namespace fs = std::filesystem;

namespace {

// A node's folder, its data and that one's files.
constexpr int deepest = 2;

struct Segment {
    key_t key;
    int id;
};

// Line 7 of postmaster.pid: key and id (src/include/utils/pidfile.h).
std::optional<Segment> segment_of(Path const& pidfile) {
    auto const text = read_file(pidfile);
    if (!text) return std::nullopt;
    auto const lines = split_lines(*text);
    if (lines.size() < 7) return std::nullopt;
    auto const numbers = trim(lines[6]);
    unsigned long key = 0;
    int id = 0;
    auto const* const end = numbers.data() + numbers.size();
    auto const first = std::from_chars(numbers.data(), end, key);
    auto const* const second = std::find_if(first.ptr, end, [](char c) { return c != ' '; });
    if (first.ec != std::errc{} || std::from_chars(second, end, id).ec != std::errc{}) return std::nullopt;
    return Segment{static_cast<key_t>(key), id};
}

// One that somebody is attached to, or that is another one's by now, stays.
void release(Segment const& segment) {
    shmid_ds about{};
    if (::shmctl(segment.id, IPC_STAT, &about) != 0) return;
    if (about.shm_perm.__key == segment.key && about.shm_nattch == 0) ::shmctl(segment.id, IPC_RMID, nullptr);
}

void release_segments(Path const& folder) {
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        if (entry.depth() >= deepest) entry.disable_recursion_pending();
        if (entry->path().filename() != "postmaster.pid") continue;
        if (auto const segment = segment_of(entry->path())) release(*segment);
    }
}

}  // namespace

Status remove_with_data(Path const& folder) {
    release_segments(folder);
    return remove_tree(folder);
}

}  // namespace pgtandem
