// The questions a login desk asks a server: pg_hba.conf's lines, and what the catalog says of users and databases.
#pragma once
#include <string>
#include <vector>

#include "client/session.hpp"
#include "proxy/hba.hpp"
#include "proxy/login_desk.hpp"

namespace pgtandem::proxy {

// One session with a server, and the lines of its pg_hba.conf for as long as the server has not read it anew.
class LoginServer {
public:
    static Result<LoginServer> connect(Conninfo const& conninfo, Deadline deadline);

    // One answer for each question, in their order, by one query.
    Result<std::vector<LoginFacts>> ask(std::vector<LoginQuestion> const& questions, Deadline deadline);
    bool usable() const { return session_.usable(); }

private:
    explicit LoginServer(Session session) : session_(std::move(session)) {}
    Status read_lines(Deadline deadline);
    Result<Rows> query_facts(std::vector<LoginQuestion> const& questions, Deadline deadline);
    LoginFacts facts_of(LoginQuestion const& question, Rows::Row const& row) const;
    // Where the client comes from, as the server would see it.
    std::string address_of(LoginQuestion const& question) const;

    Session session_;
    std::string our_address_;  // as the server sees it; empty: a Unix socket
    bool is_same_machine_ = false;
    std::string load_time_;
    std::vector<HbaLine> lines_;
};

}  // namespace pgtandem::proxy
