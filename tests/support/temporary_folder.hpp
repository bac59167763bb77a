// A folder for one test, removed with all that is in it.
#pragma once
#include <cstdlib>
#include <stdexcept>

#include "base/files.hpp"

namespace pgtandem {

class TemporaryFolder {
public:
    TemporaryFolder() {
        auto name = (std::filesystem::temp_directory_path() / "pgtandem_unit_XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp: " + name);
        path_ = name;
    }
    TemporaryFolder(TemporaryFolder const&) = delete;
    TemporaryFolder& operator=(TemporaryFolder const&) = delete;
    ~TemporaryFolder() { static_cast<void>(remove_tree(path_)); }

    Path operator/(char const* name) const { return path_ / name; }
    Path const& path() const { return path_; }

private:
    Path path_;
};

}  // namespace pgtandem
