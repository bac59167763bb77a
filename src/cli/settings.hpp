// The settings of a cluster and where each came from: flags > environment (PGTANDEM_*) > pgtandem.toml >
// what the cluster was made with > defaults.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/env_file.hpp"
#include "base/files.hpp"
#include "base/result.hpp"
#include "cli/command_line.hpp"

namespace pgtandem::cli {

struct Setting {
    std::string value;
    std::string source;     // "--replicas", "PGTANDEM_REPLICAS", "/etc/x/pgtandem.toml", "cluster", "default"
    bool is_given = false;  // by flag, environment or file
};

struct SettingRow {
    std::string_view name;      // as the flag; PGTANDEM_ and upper case, '-' as '_', in the environment
    std::string_view fallback;  // the default; "" where it is found out
};

std::vector<SettingRow> const& setting_rows();
std::string environment_name(std::string_view setting);

class Settings {
public:
    // Reads flags, environment and file, and checks every value. 'default_dir' is where a cluster lies if nobody says.
    static Result<Settings> gather(CommandLine const& line, Environment const& environment, Path const& default_dir);

    // Takes what the cluster was made with where nothing else was given.
    void add_remembered(std::map<std::string, std::string> const& values,
                        std::map<std::string, std::string> const& postgresql);

    Setting const& at(std::string const& name) const { return values_.at(name); }
    std::string const& text(std::string const& name) const { return values_.at(name).value; }
    std::uint64_t number(std::string const& name) const;
    Path path(std::string const& name) const;
    std::map<std::string, Setting> const& all() const { return values_; }
    // PostgreSQL's settings: --set, and the table [postgresql] of the file.
    std::map<std::string, Setting> const& postgresql() const { return postgresql_; }
    // The endpoint's: the table [endpoint] of the file, by its own names. The flags stand in all().
    std::map<std::string, Setting> const& endpoint() const { return endpoint_; }

private:
    Status read_file_settings(Path const& file);
    Status read_flags(CommandLine const& line);
    Status read_environment(Environment const& environment);
    Status check() const;

    std::map<std::string, Setting> values_;
    std::map<std::string, Setting> postgresql_;
    std::map<std::string, Setting> endpoint_;
};

// "512MB", "1GB", "64 MB" (powers of 1024) in bytes.
Result<std::uint64_t> parse_size(std::string const& text);

}  // namespace pgtandem::cli
