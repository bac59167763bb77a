// The lines of pg_hba.conf that a server has in effect: those of its last load, whatever the file has come to say since.
#pragma once
#include <string>
#include <vector>

#include "client/session.hpp"
#include "proxy/hba.hpp"

namespace pgtandem::proxy {

class HbaRules {
public:
    // Looks whether the server has taken other lines than those known. What is known stays where the file has a fault, or
    // was changed and not loaded: the server goes on with what it has as well. The session is to be a new one: in an older
    // one pg_conf_load_time() is when that session looked, not when the server did.
    Status read(Session& session, Deadline deadline);

    std::vector<HbaLine> const& lines() const { return lines_; }

private:
    std::vector<HbaLine> lines_;
    double load_time_ = 0;  // of the lines; seconds
};

// A list of names as JSON of their bytes in hexadecimal: a name may be of any bytes.
std::vector<std::string> names_of(std::optional<std::string> const& json_of_hex);

}  // namespace pgtandem::proxy
