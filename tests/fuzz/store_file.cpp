// The store's file, as a hand or a broken disk may leave it: it is read or refused, never a crash.
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/agreed_state.hpp"
#include "base/unique_fd.hpp"
#include "support/fuzz.hpp"

using namespace pgtandem;

PGTANDEM_FUZZ_TARGET(store_file) {
    UniqueFd const file(::memfd_create("store.json", MFD_CLOEXEC));
    fuzz::require(::write(file.get(), input.data(), input.size()) == static_cast<ssize_t>(input.size()));
    auto const snapshot = FileStore(fmt::format("/proc/self/fd/{}", file.get())).read();
    if (!snapshot) return fuzz::require(!snapshot.error().why.empty());
    auto const state = read_state(*snapshot);
    fuzz::require(state || !state.error().why.empty());
}
