// pgtandem proxy: the endpoint alone, before servers that pgtandem does not manage.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>

#include "apps/commands.hpp"
#include "apps/endpoint.hpp"
#include "apps/signals.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "cli/toml_file.hpp"
#include "proxy/settings_table.hpp"

namespace pgtandem::apps {

namespace {

// To ourselves: another process has taken over.
constexpr int given_signal = SIGUSR1;

struct ProxyFile {
    proxy::EndpointSettings settings;
    std::vector<proxy::WatchedServer> servers;
    std::string server_tls = "off";  // or require, verify-full: as libpq's sslmode
    Path server_tls_ca{};            // who signs the servers' certificates
};

// For the sessions that look at the servers, which libpq opens, and for those of clients, which we open.
Status prepare_tls(ProxyFile& file) {
    if (file.server_tls == "off") return {};
    bool const verifies = file.server_tls == "verify-full";
    if (verifies && file.server_tls_ca.empty()) {
        return usage_error("reading the settings", "server_tls", "verify-full needs server_tls_ca", "the file of the certificate authority");
    }
    // As libpq takes "require": where there is a certificate authority, it is asked.
    auto const otherwise = file.server_tls_ca.empty() ? io::TlsVerify::none : io::TlsVerify::ca;
    PGTANDEM_TRY(context, io::TlsContext::client(verifies ? io::TlsVerify::full : otherwise, file.server_tls_ca));
    ::setenv("PGSSLMODE", file.server_tls.c_str(), 1);
    if (!file.server_tls_ca.empty()) ::setenv("PGSSLROOTCERT", file.server_tls_ca.c_str(), 1);
    for (auto& server : file.servers) {
        if (!server.conninfo.host.starts_with('/')) server.tls = context;
    }
    return {};
}

// "host:port", "[::1]:5432" or "/folder/of/the/socket:5432"; the port may be left out.
Result<Conninfo> parse_server(std::string const& text, std::string const& file) {
    Conninfo conninfo;
    auto const colon = text.rfind(':');
    bool const has_port = colon != std::string::npos && text.find(']', colon) == std::string::npos;
    conninfo.host = has_port ? text.substr(0, colon) : text;
    if (conninfo.host.starts_with('[') && conninfo.host.ends_with(']')) conninfo.host = conninfo.host.substr(1, conninfo.host.size() - 2);
    if (conninfo.host == "localhost") conninfo.host = "127.0.0.1";
    auto const digits = has_port ? std::string_view(text).substr(colon + 1) : std::string_view("5432");
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), conninfo.port);
    if (error != std::errc{} || end != digits.data() + digits.size() || conninfo.host.empty()) {
        return usage_error("reading the settings", file, "'" + text + "' is no server", "host:port, with a numeric address, or a socket's folder");
    }
    return conninfo;
}

Result<ProxyFile> read_proxy_file(Path const& path) {
    PGTANDEM_TRY(table, cli::read_toml(path));
    ProxyFile file;
    std::string user;
    std::string password;
    for (auto const& [key, node] : table) {
        std::string const name(key.str());
        PGTANDEM_TRY(value, cli::toml_text(node, name, path, cli::TomlLists::taken));
        if (name == "auth_user") {
            user = value;
        } else if (name == "auth_password_file") {
            PGTANDEM_TRY(content, read_file(value));
            password = trim(content);
        } else if (name == "server_tls") {
            if (value != "off" && value != "require" && value != "verify-full") {
                return usage_error("reading the setting", "server_tls (" + path.string() + ")",
                                   "'" + value + "' is not one of off, require, verify-full");
            }
            file.server_tls = value;
        } else if (name == "server_tls_ca") {
            file.server_tls_ca = value;
        } else if (name == "servers") {
            for (auto const& server : split(value, ',')) {
                PGTANDEM_TRY(conninfo, parse_server(std::string(trim(server)), path.string()));
                file.servers.push_back({std::string(trim(server)), conninfo});
            }
        } else {
            PGTANDEM_CHECK(proxy::set_endpoint_setting(file.settings, name, value, path.string()));
        }
    }
    if (file.servers.empty()) return usage_error("reading the settings", path.string(), "it names no servers", "servers = [\"127.0.0.1:5432\"]");
    if (user.empty()) {
        return usage_error("reading the settings", path.string(), "it names no auth_user",
                           "auth_user and auth_password_file of a superuser, or of one who may read pg_authid");
    }
    for (auto& server : file.servers) {
        server.conninfo.user = user;
        server.conninfo.password = password;
        server.conninfo.database = "postgres";
    }
    return file;
}

void say(std::string const& text) {
    fmt::print("{}\n", text);
    std::fflush(stdout);
}

// Until it is to stop, or has served the last of its clients after another process took its place.
// False when a worker of the endpoint stands still.
bool serve(RunningEndpoint& running, sigset_t const& signals) {
    for (;;) {
        int number = 0;
        if (::sigwait(&signals, &number) != 0) continue;
        if (number == SIGHUP) {
            auto const reloaded = running.reload();
            say(reloaded ? "settings reloaded" : reloaded.error().line());
            continue;
        }
        if (number != given_signal) return true;
        say("another process has taken over; serving the clients that are here until they leave");
        return running.drain([&] {
            timespec const moment{0, 20'000'000};
            int const came = ::sigtimedwait(&signals, nullptr, &moment);
            return came == SIGINT || came == SIGTERM;
        });
    }
}

// Given on the command line it counts more than in the file.
Status take_checking(proxy::EndpointSettings& settings, std::string const& value) {
    return value.empty() ? Status() : proxy::set_endpoint_setting(settings, "check_sharing", value, "--check-sharing");
}

}  // namespace

Result<int> proxy_command(cli::CommandLine const& line) {
    Path const path = line.value("config");
    if (path.empty()) return usage_error("reading the command line", "pgtandem proxy", "it needs --config FILE", "pgtandem proxy --help");
    auto const absolute = std::filesystem::absolute(path);
    sigset_t signals;
    ::sigemptyset(&signals);
    for (int const number : {SIGINT, SIGTERM, SIGHUP, given_signal}) ::sigaddset(&signals, number);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    PGTANDEM_TRY(file, read_proxy_file(absolute));
    auto const checking = line.value("check-sharing");
    PGTANDEM_CHECK(take_checking(file.settings, checking));
    log::open_on_stderr();
    PGTANDEM_CHECK(prepare_tls(file));
    auto const read = [absolute, checking, before = file.settings]() -> Result<proxy::EndpointSettings> {
        PGTANDEM_TRY(now, read_proxy_file(absolute));
        PGTANDEM_CHECK(take_checking(now.settings, checking));
        auto const restarts = proxy::needing_restart(before, now.settings);
        if (!restarts.empty()) {
            return fail("reloading the settings", join(restarts, ", "), "it cannot change while the proxy runs", "a restart");
        }
        return now.settings;
    };
    RunningEndpoint::Succession succession{{}, [] { return Status(); }, [] {}, [] { ::kill(::getpid(), given_signal); }};
    if (line.has("takeover")) {
        PGTANDEM_TRY(takeover, take_over(file.settings));
        if (!takeover) fmt::print("nothing to take over: nobody serves there\n");
        succession.takeover = std::move(takeover);
    }
    PGTANDEM_TRY(running, RunningEndpoint::open(file.settings, {[servers = file.servers] { return servers; }, read}, std::move(succession)));
    say(fmt::format("open on {}:{}, before {} servers; Ctrl-C stops it", file.settings.listen.front(), file.settings.port, file.servers.size()));
    bool const has_ended = serve(*running, signals) && running->stop();
    if (!has_ended) end_at_once(0);
    return 0;
}

}  // namespace pgtandem::apps
