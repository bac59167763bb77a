#include "proxy/hba_text.hpp"

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"

namespace pgtandem::proxy {

namespace {

constexpr int first_with_continued_lines = 14;
constexpr int first_with_includes = 16;
constexpr int depth_max = 10;  // CONF_FILE_MAX_DEPTH

bool is_blank(char letter) { return letter == ' ' || letter == '\t' || letter == '\r'; }

struct Token {
    HbaWord word;
    bool is_there = false;
    bool goes_on = false;  // a comma follows: the next one belongs to the same field
};

// The next token, taken from the front of 'line' (next_token).
Token take_token(std::string_view& line) {
    while (!line.empty() && (is_blank(line.front()) || line.front() == ',')) line.remove_prefix(1);
    Token token;
    auto& text = token.word.text;
    bool in_quotes = false;
    bool was_quote = false;
    for (; !line.empty() && (in_quotes || !is_blank(line.front())); line.remove_prefix(1)) {
        auto const letter = line.front();
        if (letter == '#' && !in_quotes) {
            line = {};
            break;
        }
        if (letter == ',' && !in_quotes) {
            token.goes_on = true;
            break;
        }
        // Two quotes within quotes are one that is meant.
        if (letter != '"' || was_quote) text += letter;
        was_quote = letter == '"' && in_quotes && !was_quote;
        if (letter == '"') {
            in_quotes = !in_quotes;
            token.is_there = true;
            if (text.empty()) token.word.is_quoted = true;
        }
    }
    token.is_there = token.is_there || !text.empty();
    return token;
}

std::string without_line_end(std::string text) {
    while (text.ends_with('\r') || text.ends_with('\n')) text.pop_back();
    return text;
}

struct Line {
    int number;
    std::string text;
};

std::vector<Line> joined_lines(std::string_view file, bool may_continue) {
    std::vector<Line> lines;
    auto const physical = split(file, '\n');
    for (std::size_t at = 0; at < physical.size(); ++at) {
        Line line{static_cast<int>(at) + 1, without_line_end(physical[at])};
        // A backslash that was there before the last line was added does not count again.
        for (std::size_t joined_at = 0; may_continue && line.text.size() > joined_at && line.text.ends_with('\\');) {
            line.text.pop_back();
            joined_at = line.text.size();
            if (++at < physical.size()) line.text = without_line_end(line.text + physical[at]);
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

class Reader {
public:
    Reader(int major, HbaFiles const& files) : major_(major), files_(files) {}

    std::vector<HbaRecord> records_of(std::string const& path, int depth) {
        paths_.insert(path);
        auto const file = depth <= depth_max ? files_.read(path) : std::nullopt;
        std::vector<HbaRecord> records;
        if (!file) return records;
        for (auto const& [number, text] : joined_lines(*file, major_ >= first_with_continued_lines)) {
            HbaRecord record{path, number, fields_of(text, path, depth)};
            if (record.fields.empty()) continue;
            if (is_include(record)) {
                auto included = included_by(record, depth);
                std::ranges::move(included, std::back_inserter(records));
            } else {
                records.push_back(std::move(record));
            }
        }
        return records;
    }

    std::set<std::string> take_paths() { return std::move(paths_); }

private:
    std::vector<HbaField> fields_of(std::string_view line, std::string const& path, int depth) {
        std::vector<HbaField> fields;
        while (!line.empty()) {
            HbaField field;
            for (bool goes_on = true; goes_on;) {
                auto const token = take_token(line);
                goes_on = token.is_there && token.goes_on;
                if (token.is_there) add(field, token.word, path, depth);
            }
            // A field of a file without words is no field at all.
            if (!field.empty()) fields.push_back(std::move(field));
        }
        return fields;
    }

    void add(HbaField& field, HbaWord const& word, std::string const& path, int depth) {
        if (word.is_quoted || !word.text.starts_with('@') || word.text.size() == 1) {
            field.push_back(word);
            return;
        }
        for (auto& record : records_of(beside(path, word.text.substr(1)), depth + 1)) {
            for (auto& words : record.fields) std::ranges::move(words, std::back_inserter(field));
        }
    }

    bool is_include(HbaRecord const& record) const {
        if (major_ < first_with_includes || record.fields.size() != 2) return false;
        auto const& word = record.fields[0][0].text;
        return word == "include" || word == "include_if_exists" || word == "include_dir";
    }

    std::vector<HbaRecord> included_by(HbaRecord const& record, int depth) {
        auto const path = beside(record.file, record.fields[1][0].text);
        if (record.fields[0][0].text != "include_dir") return records_of(path, depth + 1);
        paths_.insert(path);
        auto names = files_.list(path);
        std::ranges::sort(names);
        std::vector<HbaRecord> records;
        for (auto const& name : names) {
            if (name.starts_with('.') || !name.ends_with(".conf") || name == ".conf") continue;
            auto included = records_of(beside(path + "/", name), depth + 1);
            std::ranges::move(included, std::back_inserter(records));
        }
        return records;
    }

    // Where it is not absolute, it counts from the folder of the file that names it.
    static std::string beside(std::filesystem::path const& file, std::string const& named) {
        return (file.parent_path() / named).lexically_normal().string();
    }

    int major_;
    HbaFiles const& files_;
    std::set<std::string> paths_{};
};

}  // namespace

HbaText read_hba_text(std::string const& path, int major, HbaFiles const& files) {
    Reader reader(major, files);
    auto records = reader.records_of(path, 0);
    return {std::move(records), reader.take_paths()};
}

}  // namespace pgtandem::proxy
