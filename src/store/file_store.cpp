#include "store/file_store.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/unique_fd.hpp"

namespace pgtandem {

namespace {

using Json = nlohmann::json;

Result<Snapshot> parse(std::string const& text, std::string const& where) {
    try {
        auto const document = Json::parse(text);
        auto const& revision = document.at("revision");
        auto const& keys = document.at("keys");
        if (!revision.is_number_unsigned() || !keys.is_object()) {
            return fail("reading the cluster's state", where, "it holds no revision or no keys");
        }
        Snapshot snapshot{revision.get<std::uint64_t>()};
        for (auto const& [key, entry] : keys.items()) {
            auto const& its_revision = entry.at("revision");
            if (!its_revision.is_number_unsigned()) return fail("reading the cluster's state", where, key + " has no revision");
            snapshot.keys[key] = {entry.at("value"), its_revision.get<std::uint64_t>()};
        }
        return snapshot;
    } catch (Json::exception const& error) {
        return fail("reading the cluster's state", where, error.what());
    }
}

std::string render(Snapshot const& snapshot) {
    Json keys = Json::object();
    for (auto const& [key, stored] : snapshot.keys) {
        keys[key] = {{"revision", stored.revision}, {"value", stored.value}};
    }
    return Json{{"revision", snapshot.revision}, {"keys", keys}}.dump(1) + "\n";
}

Result<UniqueFd> lock_for_writing(Path const& file) {
    auto const path = file.string() + ".lock";
    UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) return fail_errno("locking", path);
    while (::flock(lock.get(), LOCK_EX) != 0) {
        if (errno != EINTR) return fail_errno("locking", path);
    }
    return lock;
}

}  // namespace

Result<Snapshot> FileStore::read() const {
    PGTANDEM_TRY(text, read_file_if_there(file_));
    if (!text) return Snapshot{};
    return parse(*text, file_.string());
}

Result<std::uint64_t> FileStore::write(std::map<std::string, Json> const& changes,
                                       std::optional<std::uint64_t> expected) const {
    auto const lock = lock_for_writing(file_);
    if (!lock) return fail(lock.error());
    PGTANDEM_TRY(snapshot, read());
    if (expected && snapshot.revision != *expected) {
        return fail("writing the cluster's state", file_.string(), "changed meanwhile", "the same command again");
    }
    ++snapshot.revision;
    for (auto const& [key, value] : changes) {
        if (value.is_null()) {
            snapshot.keys.erase(key);
        } else {
            snapshot.keys[key] = {value, snapshot.revision};
        }
    }
    auto const text = render(snapshot);
    PGTANDEM_CHECK(kind_ == Kind::durable ? write_file(file_, text) : write_volatile_file(file_, text));
    return snapshot.revision;
}

bool FileStore::wait_for_any_change(std::initializer_list<Seen> seen, Deadline deadline) {
    auto const has_changed = [](Seen const& entry) {
        auto const snapshot = entry.store->read();
        return snapshot && snapshot->revision != entry.revision;
    };
    UniqueFd const watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (watch) ::inotify_add_watch(watch.get(), seen.begin()->store->file().parent_path().c_str(), IN_MOVED_TO);
    for (;;) {
        if (std::ranges::any_of(seen, has_changed)) return true;
        if (deadline.passed()) return false;
        // Where the system has no watch left to give (inotify's limits), look ten times a second instead.
        int const longest = watch ? deadline.poll_milliseconds() : std::min(100, deadline.poll_milliseconds());
        pollfd entry{watch.get(), POLLIN, 0};
        ::poll(&entry, 1, longest);
        char events[4096];
        while (watch && ::read(watch.get(), events, sizeof events) > 0) {
        }
    }
}

}  // namespace pgtandem
