// parse_options(): PostgreSQL's pg_split_opts and the part of process_postgres_switches that sets parameters.
#include <algorithm>
#include <optional>

#include "wire/startup.hpp"

namespace pgtandem::wire {

namespace {

bool is_blank(char letter) { return letter == ' ' || (letter >= '\t' && letter <= '\r'); }

// Each turn of the outer loop takes at least one character: what is no blank begins a word.
std::vector<std::string> split_words(std::string_view text) {
    std::vector<std::string> words;
    std::size_t at = 0;
    while (at < text.size()) {
        if (is_blank(text[at])) {
            ++at;
            continue;
        }
        auto& word = words.emplace_back();
        for (; at < text.size() && !is_blank(text[at]); ++at) {
            if (text[at] == '\\' && ++at == text.size()) break;
            word += text[at];
        }
    }
    return words;
}

tl::unexpected<Error> refuse(std::string message, std::string sqlstate, std::string hint = {}) {
    return fail(Error{std::move(message), "", "", std::move(hint), ErrorKind::failed, std::move(sqlstate)});
}

tl::unexpected<Error> refuse_switch(std::string const& word) {
    return refuse("invalid command-line argument for server process: " + word, "42601",
                  "Try \"postgres --help\" for more information.");
}

// PostgreSQL's ParseLongOption: dashes in a name mean underscores.
Result<std::pair<std::string, std::string>> parse_setting(std::string_view text, std::string_view given_as) {
    auto const equal = text.find('=');
    if (equal == std::string_view::npos) {
        return refuse(std::string(given_as) + std::string(text) + " requires a value", "42601");
    }
    std::string name(text.substr(0, equal));
    if (name.empty()) return refuse("unrecognized configuration parameter \"\"", "42704");
    std::replace(name.begin(), name.end(), '-', '_');
    return std::pair{std::move(name), std::string(text.substr(equal + 1))};
}

}  // namespace

Result<OptionSettings> parse_options(std::string_view options) {
    OptionSettings settings;
    auto const words = split_words(options);
    for (std::size_t at = 0; at < words.size(); ++at) {
        std::string_view const word = words[at];
        bool const is_long = word.starts_with("--") && word.size() > 2;
        if (!is_long && !word.starts_with("-c")) return refuse_switch(words[at]);
        auto text = word.substr(2);
        if (text.empty()) {
            if (++at == words.size()) return refuse_switch(words.back());
            text = words[at];
        }
        PGTANDEM_TRY(setting, parse_setting(text, is_long ? "--" : "-c "));
        settings.push_back(std::move(setting));
    }
    return settings;
}

}  // namespace pgtandem::wire
