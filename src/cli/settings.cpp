#include "cli/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "cli/toml_file.hpp"

namespace pgtandem::cli {

namespace {

constexpr std::uint64_t most_replicas = 64;
constexpr std::uint64_t segment_bytes = 16 << 20;

std::vector<std::string> setting_names() {
    std::vector<std::string> names;
    for (auto const& row : setting_rows()) names.emplace_back(row.name);
    return names;
}

Result<std::uint64_t> parse_number(Setting const& setting, std::string const& name, std::uint64_t least,
                                   std::uint64_t most) {
    std::uint64_t number = 0;
    auto const& text = setting.value;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < least || number > most) {
        return usage_error("reading the setting", fmt::format("{} ({})", name, setting.source),
                           fmt::format("'{}' is not a number from {} to {}", text, least, most));
    }
    return number;
}

Status add_postgresql(std::map<std::string, Setting>& settings, std::string const& text, std::string const& source) {
    auto const equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
        return usage_error("reading the setting", source, fmt::format("'{}' is not of the form name=value", text));
    }
    // PostgreSQL takes its names in any case.
    auto name = std::string(trim(text.substr(0, equals)));
    std::ranges::transform(name, name.begin(), [](unsigned char letter) { return std::tolower(letter); });
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789_.";
    if (name.empty() || name.find_first_not_of(letters) != std::string::npos) {
        return usage_error("reading the setting", source, fmt::format("'{}' is no setting's name", name));
    }
    auto const value = std::string(trim(text.substr(equals + 1)));
    if (value.find_first_of("\r\n") != std::string::npos) {
        return usage_error("reading the setting", source, fmt::format("the value of {} has a line break", name));
    }
    settings[name] = {value, source, true};
    return {};
}

}  // namespace

std::vector<SettingRow> const& setting_rows() {
    static std::vector<SettingRow> const rows{
        {"dir", ""},      {"replicas", "1"},      {"listen", "127.0.0.1"},
        {"port", "6441"}, {"durability", "sync"}, {"archive-size", "1GB"},
        {"pg-bin", ""},   {"env-file", ""},       {"endpoint-port", "6432"},
        {"reads-port", "6433"}, {"pool-mode", "transparent"}, {"pool-size", "20"}, {"check-sharing", "off"},
    };
    return rows;
}

std::string environment_name(std::string_view setting) {
    std::string name = "PGTANDEM_";
    for (char const letter : setting) {
        name += letter == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    }
    return name;
}

Result<Settings> Settings::gather(CommandLine const& line, Environment const& environment, Path const& default_dir) {
    Settings settings;
    for (auto const& row : setting_rows()) {
        settings.values_[std::string(row.name)] = {std::string(row.fallback), "default"};
    }
    settings.values_["dir"].value = default_dir.string();
    auto file = line.value("config");
    if (auto const found = environment.find("PGTANDEM_CONFIG"); file.empty() && found != environment.end()) {
        file = found->second;
    }
    if (!file.empty()) {
        PGTANDEM_CHECK(settings.read_file_settings(file));
    } else if (is_there("pgtandem.toml")) {
        PGTANDEM_CHECK(settings.read_file_settings("pgtandem.toml"));
    }
    PGTANDEM_CHECK(settings.read_environment(environment));
    PGTANDEM_CHECK(settings.read_flags(line));
    PGTANDEM_CHECK(settings.check());
    for (auto const* name : {"dir", "pg-bin", "env-file"}) {
        auto& value = settings.values_[name].value;
        if (!value.empty()) value = std::filesystem::absolute(value).lexically_normal().string();
        if (value.size() > 1 && value.ends_with('/')) value.pop_back();
    }
    return settings;
}

Status Settings::read_file_settings(Path const& file) {
    PGTANDEM_TRY(table, read_toml(file));
    for (auto const& [key, node] : table) {
        auto const name = replace_all(std::string(key.str()), "_", "-");
        if (auto const* postgresql = name == "postgresql" ? node.as_table() : nullptr) {
            for (auto const& [guc, value] : *postgresql) {
                PGTANDEM_TRY(setting, toml_text(value, std::string(guc.str()), file, TomlLists::taken));
                PGTANDEM_CHECK(add_postgresql(postgresql_, std::string(guc.str()) + "=" + setting, file.string()));
            }
            continue;
        }
        if (auto const* endpoint = name == "endpoint" ? node.as_table() : nullptr) {
            for (auto const& [key_of, value] : *endpoint) {
                PGTANDEM_TRY(setting, toml_text(value, std::string(key_of.str()), file, TomlLists::taken));
                endpoint_[replace_all(std::string(key_of.str()), "-", "_")] = {setting, file.string(), true};
            }
            continue;
        }
        if (!values_.contains(name)) {
            auto known = setting_names();
            known.emplace_back("postgresql");
            known.emplace_back("endpoint");
            return usage_error("reading the settings", file.string(),
                               fmt::format("there is no setting '{}'", key.str()), did_you_mean(name, known));
        }
        PGTANDEM_TRY(value, toml_text(node, name, file, name == "listen" ? TomlLists::taken : TomlLists::refused));
        values_[name] = {value, file.string(), true};
    }
    return {};
}

Status Settings::read_environment(Environment const& environment) {
    std::vector<std::string> known{"PGTANDEM_CONFIG"};
    for (auto const& row : setting_rows()) known.push_back(environment_name(row.name));
    for (auto const& [name, value] : environment) {
        if (!name.starts_with("PGTANDEM_")) continue;
        if (std::ranges::find(known, name) == known.end()) {
            return usage_error("reading the environment", name, "there is no such setting", did_you_mean(name, known));
        }
        for (auto const& row : setting_rows()) {
            if (environment_name(row.name) == name) values_[std::string(row.name)] = {value, name, true};
        }
    }
    return {};
}

Status Settings::read_flags(CommandLine const& line) {
    for (auto const& [name, given] : line.options) {
        if (values_.contains(name)) values_[name] = {given.back(), "--" + name, true};
        if (name != "set") continue;
        for (auto const& assignment : given) PGTANDEM_CHECK(add_postgresql(postgresql_, assignment, "--set"));
    }
    return {};
}

Status Settings::check() const {
    if (text("dir").empty()) return usage_error("reading the setting", "dir", "it is empty");
    PGTANDEM_CHECK(parse_number(at("replicas"), "replicas", 0, most_replicas));
    PGTANDEM_CHECK(parse_number(at("port"), "port", 1, 65535));
    PGTANDEM_CHECK(parse_number(at("endpoint-port"), "endpoint-port", 0, 65535));
    PGTANDEM_CHECK(parse_number(at("reads-port"), "reads-port", 0, 65535));
    auto const& durability = at("durability");
    if (durability.value != "sync" && durability.value != "strict" && durability.value != "async") {
        return usage_error("reading the setting", fmt::format("durability ({})", durability.source),
                           fmt::format("'{}' is not sync, strict or async", durability.value));
    }
    if (text("listen").empty() || text("listen").find_first_of("'\" \t\n") != std::string::npos) {
        return usage_error("reading the setting", "listen",
                           fmt::format("'{}' is no list of addresses", text("listen")));
    }
    PGTANDEM_TRY(archive, parse_size(text("archive-size")));
    if (archive < 4 * segment_bytes) {
        return usage_error("reading the setting", "archive-size", "an archive has room for at least 64MB");
    }
    return {};
}

void Settings::add_remembered(std::map<std::string, std::string> const& values,
                              std::map<std::string, std::string> const& postgresql) {
    for (auto const& [name, value] : values) {
        auto& setting = values_.at(name);
        if (!setting.is_given && !value.empty()) setting = {value, "cluster", false};
    }
    for (auto const& [name, value] : postgresql) postgresql_.try_emplace(name, Setting{value, "cluster", false});
}

std::uint64_t Settings::number(std::string const& name) const {
    std::uint64_t number = 0;
    auto const& value = text(name);
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

Path Settings::path(std::string const& name) const { return text(name); }

Result<std::uint64_t> parse_size(std::string const& text) {
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    auto const unit = trim(std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end)));
    constexpr std::string_view units[] = {"B", "kB", "MB", "GB", "TB"};
    for (std::size_t power = 0; power < std::size(units); ++power) {
        if (unit != units[power] || error != std::errc{}) continue;
        if (number > (std::uint64_t{1} << 62) >> (10 * power)) break;
        return number << (10 * power);
    }
    return usage_error("reading the size", text, "it is not a number and a unit, B, kB, MB, GB or TB");
}

}  // namespace pgtandem::cli
