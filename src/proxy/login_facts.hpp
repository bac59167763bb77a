// The questions a login desk asks a server: what pg_hba.conf and the catalog say of users and databases.
#pragma once
#include <string>
#include <vector>

#include "client/session.hpp"
#include "proxy/hba_rules.hpp"
#include "proxy/login_desk.hpp"

namespace pgtandem::proxy {

struct LoginAnswer {
    LoginFacts facts{};
    // What pg_hba.conf says depends on the name of the client's host: 'facts' refuse until it is looked up.
    std::optional<HbaCase> open_case{};
};

// One session with a server. The rules are their owner's: they outlive the session.
class LoginServer {
public:
    static Result<LoginServer> connect(Conninfo const& conninfo, HbaRules& rules, Deadline deadline);

    // One answer for each question, in their order, by one query.
    Result<std::vector<LoginAnswer>> ask(std::vector<LoginQuestion> const& questions, Deadline deadline);
    // Looks whether the server has loaded its settings; for times in which nobody asks.
    Status look(Deadline deadline);
    bool usable() const { return session_.usable(); }

private:
    LoginServer(Session session, Conninfo conninfo, HbaRules& rules)
        : session_(std::move(session)), conninfo_(std::move(conninfo)), rules_(&rules) {}
    Status read_rules(Deadline deadline);
    Status read_mock(Deadline deadline);
    Status renew(Deadline deadline);
    // Of the reserve's session: to that of the role that should be there.
    void make_way(Deadline deadline);
    Result<Rows> query_facts(std::vector<LoginQuestion> const& questions, Deadline deadline);
    // For each question those of the lines' regular expressions that user and database match.
    Result<std::vector<HbaLogin>> query_patterns(std::vector<LoginQuestion> const& questions, Deadline deadline);
    LoginAnswer answer_of(LoginQuestion const& question, Rows::Row const& row, HbaLogin login) const;
    // Where the client comes from, as the server would see it.
    std::string address_of(LoginQuestion const& question) const;

    Session session_;
    Conninfo conninfo_;
    std::string our_address_;  // as the server sees it; empty: a Unix socket
    bool is_same_machine_ = false;
    std::string load_time_;  // of the server's settings, when the session began
    double load_time_s_ = 0;
    MockLogin mock_{};
    HbaRules* rules_;
};

}  // namespace pgtandem::proxy
