// The lines of pg_hba.conf that a server has in effect: those of its last load, whatever the file has come to say since.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "client/session.hpp"
#include "proxy/hba.hpp"
#include "proxy/hba_loaded.hpp"

namespace pgtandem::proxy {

class HbaRules {
public:
    // Looks at the files and takes what is new. 'load_time': pg_conf_load_time() of the server, not of an older session.
    // 'may_look': the files are on this machine too, perhaps; their times are then known to more than a second.
    Status read(Session& session, double load_time, bool may_look, Deadline deadline);

    // An error where it is not known which lines are in effect.
    Status check() const;
    std::vector<HbaLines> const& candidates() const { return loaded_.candidates(); }

private:
    struct Stamp {
        std::string text{};     // changes when a file does
        double changed_at = 0;  // the last change was not later
        bool is_settled = false;  // a later change will have another text
    };
    Result<HbaLook> look(Session& session, Deadline deadline);
    Result<Stamp> stamp(Session& session, bool may_look, Deadline deadline) const;

    HbaLoaded loaded_{};
    double load_time_ = 0;
    std::set<std::string> paths_{};
    Stamp seen_{};
    std::string fault_{};
};

// A list of names as JSON of their bytes in hexadecimal: a name may be of any bytes.
std::vector<std::string> names_of(std::optional<std::string> const& json_of_hex);

}  // namespace pgtandem::proxy
