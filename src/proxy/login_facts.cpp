#include "proxy/login_facts.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace pgtandem::proxy {

namespace {

using Json = nlohmann::json;

constexpr char const* connect_query =
    "SELECT pg_catalog.host(pg_catalog.inet_client_addr()), "
    "coalesce(pg_catalog.inet_client_addr() OPERATOR(pg_catalog.=) pg_catalog.inet_server_addr(), pg_catalog.inet_client_addr() IS NULL), "
    "pg_catalog.pg_conf_load_time()::pg_catalog.text";

// $1: the questions, $2: the patterns of pg_hba.conf, as JSON. One row for each question, in their order.
constexpr char const* facts_query = R"(
SELECT pg_catalog.pg_conf_load_time()::pg_catalog.text,
       a.oid IS NOT NULL, a.rolpassword, coalesce(a.rolvaliduntil OPERATOR(pg_catalog.<) pg_catalog.now(), false),
       a.rolcanlogin, a.rolsuper, a.rolreplication, a.rolconnlimit,
       coalesce(pg_catalog.pg_has_role(a.oid, 'pg_monitor', 'USAGE'), false),
       d.oid IS NOT NULL, d.datallowconn, d.datconnlimit,
       coalesce(pg_catalog.has_database_privilege(a.oid, d.oid, 'CONNECT'), false),
       pg_catalog.concat_ws(' ', a.oid, d.oid,
        (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', s.setdatabase, s.setrole, s.setconfig), ' '
                                      ORDER BY s.setdatabase, s.setrole)
           FROM pg_catalog.pg_db_role_setting s
          WHERE s.setrole OPERATOR(pg_catalog.=) ANY (ARRAY[0::pg_catalog.oid, a.oid])
            AND s.setdatabase OPERATOR(pg_catalog.=) ANY (ARRAY[0::pg_catalog.oid, d.oid]))),
       (WITH RECURSIVE member (roleid) AS (
            SELECT a.oid UNION
            SELECT m.roleid FROM pg_catalog.pg_auth_members m JOIN member ON m.member OPERATOR(pg_catalog.=) member.roleid)
        SELECT pg_catalog.json_agg(pg_catalog.encode(pg_catalog.namesend(r.rolname), 'hex')) FROM member JOIN pg_catalog.pg_authid r ON r.oid OPERATOR(pg_catalog.=) member.roleid),
       (SELECT pg_catalog.json_agg(pg_catalog.encode(pg_catalog.textsend(p.value), 'hex')) FROM pg_catalog.json_array_elements_text($2::pg_catalog.json) p
         WHERE (q.value OPERATOR(pg_catalog.->>) 0) OPERATOR(pg_catalog.~) (p.value COLLATE pg_catalog."C")),
       (SELECT pg_catalog.json_agg(pg_catalog.encode(pg_catalog.textsend(p.value), 'hex')) FROM pg_catalog.json_array_elements_text($2::pg_catalog.json) p
         WHERE (q.value OPERATOR(pg_catalog.->>) 1) OPERATOR(pg_catalog.~) (p.value COLLATE pg_catalog."C"))
  FROM pg_catalog.json_array_elements($1::pg_catalog.json) WITH ORDINALITY AS q (value, number)
  LEFT JOIN pg_catalog.pg_authid a ON a.rolname OPERATOR(pg_catalog.=) (q.value OPERATOR(pg_catalog.->>) 0)::pg_catalog.name
  LEFT JOIN pg_catalog.pg_database d ON d.datname OPERATOR(pg_catalog.=) (q.value OPERATOR(pg_catalog.->>) 1)::pg_catalog.name
 ORDER BY q.number)";

bool is_true(std::optional<std::string> const& value) { return value == "t"; }

std::int64_t number_of(std::optional<std::string> const& value, std::int64_t if_null) {
    return value ? std::strtoll(value->c_str(), nullptr, 10) : if_null;
}

std::set<std::string> set_of_names(std::optional<std::string> const& json_of_hex) {
    auto const names = names_of(json_of_hex);
    return {names.begin(), names.end()};
}

// A name that is not UTF-8 cannot be asked for here; "" is nobody's name.
std::string askable(std::string const& name) {
    try {
        static_cast<void>(Json(name).dump());
        return name;
    } catch (Json::exception const&) {
        return "";
    }
}

Json to_json(std::vector<LoginQuestion> const& questions) {
    auto list = Json::array();
    for (auto const& question : questions) {
        list.push_back({askable(question.user), question.is_replication ? "" : askable(question.database)});
    }
    return list;
}

// Those that no name can be asked about match nobody.
Json to_json(std::set<std::string> const& patterns) {
    auto list = Json::array();
    for (auto const& pattern : patterns) {
        if (!askable(pattern).empty()) list.push_back(pattern);
    }
    return list;
}

}  // namespace

Result<LoginServer> LoginServer::connect(Conninfo const& conninfo, HbaRules& rules, Deadline deadline) {
    PGTANDEM_TRY(session, Session::connect(conninfo, deadline));
    LoginServer server(std::move(session), conninfo, rules);
    PGTANDEM_TRY(said, server.session_.query(connect_query, deadline));
    auto const& row = *said.begin();
    server.our_address_ = row[0].value_or("");
    server.is_same_machine_ = is_true(row[1]);
    server.load_time_ = row[2].value_or("");
    PGTANDEM_CHECK(rules.read(server.session_, deadline));
    return server;
}

Result<std::vector<LoginFacts>> LoginServer::ask(std::vector<LoginQuestion> const& questions, Deadline deadline) try {
    PGTANDEM_TRY(rows, query_facts(questions, deadline));
    if (rows.size() != questions.size()) return fail("looking up who may log in", "", "the server gave too few rows");
    if (rows.begin()->at(0) != load_time_) {
        PGTANDEM_TRY(renewed, connect(conninfo_, *rules_, deadline));
        *this = std::move(renewed);
        PGTANDEM_TRY(again, query_facts(questions, deadline));
        rows = std::move(again);
    }
    std::vector<LoginFacts> answers;
    auto question = questions.begin();
    for (auto const& row : rows) answers.push_back(facts_of(*question++, row));
    return answers;
} catch (Json::exception const& error) {
    return fail("looking up who may log in", "", error.what());
}

Result<Rows> LoginServer::query_facts(std::vector<LoginQuestion> const& questions, Deadline deadline) {
    auto const patterns = session_.server_version() >= 160000 ? hba_patterns(rules_->lines()) : std::set<std::string>();
    return session_.query(facts_query, {to_json(questions).dump(), to_json(patterns).dump()}, deadline);
}

LoginFacts LoginServer::facts_of(LoginQuestion const& question, Rows::Row const& row) const {
    LoginFacts facts;
    facts.role_exists = is_true(row[1]);
    facts.password = row[2];
    facts.password_has_expired = is_true(row[3]);
    facts.may_login = is_true(row[4]);
    facts.is_superuser = is_true(row[5]);
    facts.may_replicate = is_true(row[6]);
    facts.role_connection_limit = number_of(row[7], -1);
    facts.is_monitor = is_true(row[8]);
    facts.database_exists = is_true(row[9]);
    facts.database_allows_connections = is_true(row[10]);
    facts.database_connection_limit = number_of(row[11], -1);
    facts.may_connect = is_true(row[12]);
    facts.settings_version = stable_hash(row[13].value_or(""));
    HbaLogin login{question.user,           question.database,         question.is_replication,
                   question.is_tls,       address_of(question),  set_of_names(row[14]),
                   set_of_names(row[15]), set_of_names(row[16]), {}};
    facts.server_major = session_.server_version() / 10000;
    // samehost and samenet speak of the server's machine.
    if (is_same_machine_) login.server_networks = own_networks();
    auto const verdict = evaluate_hba(rules_->lines(), login, facts.server_major);
    facts.method = verdict.method;
    facts.refusal = verdict.refusal;
    return facts;
}

// Clients on the endpoint's own machine would reach a server elsewhere from this machine's address.
std::string LoginServer::address_of(LoginQuestion const& question) const {
    if (is_same_machine_) return question.peer_address;
    auto const peer = IpAddress::parse(question.peer_address);
    return question.peer_address.empty() || (peer && peer->is_loopback()) ? our_address_ : question.peer_address;
}

}  // namespace pgtandem::proxy
