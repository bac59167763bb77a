// The text of pg_hba.conf, as far as pg_hba_file_rules does not show it: which words stand in quotes, and which files take part.
#pragma once
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pgtandem::proxy {

struct HbaWord {
    std::string text;
    bool is_quoted = false;  // begins with a quote: a name, whatever else it might mean
    bool operator==(HbaWord const&) const = default;
};
using HbaField = std::vector<HbaWord>;  // words between commas

// A line with those that continue it; "@file" has been replaced by the words of that file.
struct HbaRecord {
    std::string file;
    int line = 0;  // of its first line
    std::vector<HbaField> fields;
};

struct HbaText {
    std::vector<HbaRecord> records;
    // Everything whose change may change the records: files, also those that are missing, and folders.
    std::set<std::string> paths;
};

// Nothing where the file or folder cannot be read.
struct HbaFiles {
    std::function<std::optional<std::string>(std::string const& path)> read;
    std::function<std::vector<std::string>(std::string const& folder)> list;
};

// As src/backend/libpq/hba.c reads it: lines that continue from 14 on, include, include_if_exists and include_dir from 16 on.
HbaText read_hba_text(std::string const& path, int major, HbaFiles const& files);

}  // namespace pgtandem::proxy
