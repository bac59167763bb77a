#include "cli/toml_file.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace pgtandem::cli {

Result<toml::table> read_toml(Path const& file) {
    PGTANDEM_TRY(text, read_file(file));
    try {
        return toml::parse(text, file.string());
    } catch (toml::parse_error const& error) {
        return usage_error("reading the settings", fmt::format("{} line {}", file.string(), error.source().begin.line),
                           std::string(error.description()));
    }
}

Result<std::string> toml_text(toml::node const& node, std::string const& key, Path const& file, TomlLists lists) {
    if (auto const* text = node.as_string()) return text->get();
    if (auto const* number = node.as_integer()) return std::to_string(number->get());
    if (auto const* number = node.as_floating_point()) return fmt::format("{}", number->get());
    if (auto const* yes = node.as_boolean()) return std::string(yes->get() ? "on" : "off");
    auto const* const list = lists == TomlLists::taken ? node.as_array() : nullptr;
    if (list == nullptr) return usage_error("reading the settings", file.string(), key + " is not text, a number or true or false");
    std::vector<std::string> elements;
    for (auto const& element : *list) {
        PGTANDEM_TRY(text, toml_text(element, key, file, TomlLists::refused));
        elements.push_back(text);
    }
    return join(elements, ",");
}

}  // namespace pgtandem::cli
