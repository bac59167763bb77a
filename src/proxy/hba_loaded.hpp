// Which lines a server has in effect: pg_hba_file_rules shows the file, and a server takes it when it is loaded only.
// Pure: looks come in, in their order; out come the files one of which is in effect.
#pragma once
#include <optional>
#include <vector>

#include "proxy/hba.hpp"

namespace pgtandem::proxy {

// Times are of the server's clock, in seconds.
struct HbaLook {
    double load_time = 0;   // pg_conf_load_time(), of the server itself
    double changed_at = 0;  // no file has been changed since
    // Nothing where the file has a fault: the server goes on with what it had.
    std::optional<HbaLines> lines{};
    // postgresql.conf has a fault: then the server takes pg_hba.conf all the same, and the load time stays.
    bool may_have_loaded_unseen = false;
};

class HbaLoaded {
public:
    void take(HbaLook look);

    // Empty: nothing is known yet.
    std::vector<HbaLines> const& candidates() const { return candidates_; }

private:
    void add(HbaLines lines);

    std::vector<HbaLines> candidates_{};
    double load_time_ = 0;
};

}  // namespace pgtandem::proxy
