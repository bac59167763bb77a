// pgtandem.toml.
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "cli/settings.hpp"
#include "support/fuzz.hpp"

using namespace pgtandem;

PGTANDEM_FUZZ_TARGET(settings_file) {
    UniqueFd const file(::memfd_create("pgtandem.toml", MFD_CLOEXEC));
    fuzz::require(::write(file.get(), input.data(), input.size()) == static_cast<ssize_t>(input.size()));
    cli::CommandLine line;
    line.options["config"] = {fmt::format("/proc/self/fd/{}", file.get())};
    auto const settings = cli::Settings::gather(line, {}, "/data");
    if (!settings) return fuzz::require(settings.error().kind == ErrorKind::usage && !settings.error().why.empty());
    auto const port = settings->number("port");
    fuzz::require(port >= 1 && port <= 65535 && settings->number("replicas") <= 64);
}
