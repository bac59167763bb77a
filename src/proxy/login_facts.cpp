#include "proxy/login_facts.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "proxy/control_file.hpp"

namespace pgtandem::proxy {

namespace {

constexpr int control_attempts = 5;
constexpr char const* insufficient_privilege = "42501";

using Json = nlohmann::json;

constexpr char const* connect_query =
    "SELECT pg_catalog.host(pg_catalog.inet_client_addr()), "
    "coalesce(pg_catalog.inet_client_addr() OPERATOR(pg_catalog.=) pg_catalog.inet_server_addr(), pg_catalog.inet_client_addr() IS NULL), "
    "pg_catalog.pg_conf_load_time()::pg_catalog.text, pg_catalog.date_part('epoch', pg_catalog.pg_conf_load_time()), "
    // A session's own time, once it has been told to load: the server may have loaded pg_hba.conf long before.
    "pg_catalog.pg_conf_load_time() OPERATOR(pg_catalog.<) a.backend_start FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) a";

// As the server has them before it knows who logs in: what a role or database sets does not count.
constexpr char const* mock_query = R"(
SELECT (SELECT CASE WHEN source OPERATOR(pg_catalog.=) ANY ('{default,configuration file,command line,environment variable}') THEN setting ELSE boot_val END
          FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'scram_iterations'),
       (SELECT CASE WHEN source OPERATOR(pg_catalog.=) ANY ('{default,configuration file,command line,environment variable}') THEN setting ELSE boot_val END
          FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'password_encryption'))";

constexpr char const* control_query = "SELECT pg_catalog.encode(pg_catalog.pg_read_binary_file('global/pg_control'), 'hex')";

constexpr char const* load_time_query = "SELECT pg_catalog.pg_conf_load_time()::pg_catalog.text";

// The server compares bytes, in the C locale: each byte is made a letter. $1: pairs of user and database, $2: the patterns, all
// in hexadecimal; gives for each pair the patterns that match the one, and the other.
constexpr char const* patterns_query = R"(
WITH letters (encoding) AS (SELECT CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) ANY ('{UTF8,LATIN1}') THEN 'LATIN1' ELSE 'SQL_ASCII' END::pg_catalog.name),
     pattern (hex, text) AS (SELECT v, pg_catalog.convert_from(pg_catalog.decode(v, 'hex'), encoding) COLLATE pg_catalog."C"
                               FROM pg_catalog.json_array_elements_text($2::pg_catalog.json) v, letters)
SELECT (SELECT pg_catalog.json_agg(hex) FROM pattern
         WHERE pg_catalog.textregexeq(pg_catalog.convert_from(pg_catalog.decode(q.value OPERATOR(pg_catalog.->>) 0, 'hex'), encoding), text)),
       (SELECT pg_catalog.json_agg(hex) FROM pattern
         WHERE pg_catalog.textregexeq(pg_catalog.convert_from(pg_catalog.decode(q.value OPERATOR(pg_catalog.->>) 1, 'hex'), encoding), text))
  FROM pg_catalog.json_array_elements($1::pg_catalog.json) WITH ORDINALITY AS q (value, number), letters
 ORDER BY q.number)";

// $1: the questions, as JSON. One row for each question, in their order.
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
       pg_catalog.concat_ws(' ', d.oid, a.oid)
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

std::string in_hex(std::string_view bytes) {
    std::string digits;
    for (auto const byte : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return digits;
}

}  // namespace

Result<LoginServer> LoginServer::connect(Conninfo const& conninfo, HbaRules& rules, Deadline deadline) {
    for (;;) {
        PGTANDEM_TRY(session, Session::connect(conninfo, deadline));
        LoginServer server(std::move(session), conninfo, rules);
        PGTANDEM_TRY(said, server.session_.query(connect_query, deadline));
        auto const& row = *said.begin();
        server.our_address_ = row[0].value_or("");
        server.is_same_machine_ = is_true(row[1]);
        server.load_time_ = row[2].value_or("");
        server.load_time_s_ = std::strtod(row[3].value_or("").c_str(), nullptr);
        if (!is_true(row[4]) && !deadline.passed()) continue;
        PGTANDEM_CHECK(server.read_mock(deadline));
        PGTANDEM_CHECK(server.read_rules(deadline));
        return server;
    }
}

Status LoginServer::read_rules(Deadline deadline) {
    auto const read = [&] { return rules_->read(session_, load_time_s_, is_same_machine_, deadline); };
    auto status = read();
    // A file outside the data folder is for superusers to read, and for members of pg_read_server_files.
    bool const needs_reserve = !status && status.error().sqlstate == insufficient_privilege && !session_.is_of_reserve();
    if (!needs_reserve || conninfo_.reserve_user.empty()) return status;
    PGTANDEM_TRY(reserve, Session::connect_as_reserve(conninfo_, deadline));
    session_ = std::move(reserve);
    return read();
}

Status LoginServer::read_mock(Deadline deadline) {
    PGTANDEM_TRY(said, session_.query(mock_query, deadline));
    auto const& row = *said.begin();
    mock_.iterations = static_cast<int>(number_of(row[0], mock_.iterations));
    mock_.is_md5 = row[1] == "md5";
    // A few times: the server may be writing it.
    for (int attempt = 0; attempt < control_attempts && mock_.secret.empty(); ++attempt) {
        auto const file = session_.query(control_query, deadline);
        if (!file) return session_.usable() ? Status() : Status(fail(file.error()));
        mock_.secret = mock_authentication_nonce(from_hex(file->value())).value_or("");
    }
    return {};
}

Status LoginServer::renew(Deadline deadline) {
    PGTANDEM_TRY(renewed, connect(conninfo_, *rules_, deadline));
    *this = std::move(renewed);
    return {};
}

// Where it fails, the present session still serves.
void LoginServer::make_way(Deadline deadline) {
    if (session_.has_been_reserve_long()) static_cast<void>(renew(deadline));
}

Status LoginServer::look(Deadline deadline) {
    make_way(deadline);
    PGTANDEM_TRY(load_time, session_.query(load_time_query, deadline));
    return load_time.value() == load_time_ ? read_rules(deadline) : renew(deadline);
}

Result<std::vector<LoginAnswer>> LoginServer::ask(std::vector<LoginQuestion> const& questions, Deadline deadline) try {
    make_way(deadline);
    PGTANDEM_TRY(rows, query_facts(questions, deadline));
    if (rows.size() != questions.size()) return fail("looking up who may log in", "", "the server gave too few rows");
    if (rows.begin()->at(0) != load_time_) {
        PGTANDEM_CHECK(renew(deadline));
        PGTANDEM_TRY(again, query_facts(questions, deadline));
        rows = std::move(again);
    } else {
        PGTANDEM_CHECK(read_rules(deadline));
    }
    PGTANDEM_CHECK(rules_->check());
    PGTANDEM_TRY(logins, query_patterns(questions, deadline));
    std::vector<LoginAnswer> answers;
    auto question = questions.begin();
    auto login = logins.begin();
    for (auto const& row : rows) answers.push_back(answer_of(*question++, row, std::move(*login++)));
    return answers;
} catch (Json::exception const& error) {
    return fail("looking up who may log in", "", error.what());
}

Result<Rows> LoginServer::query_facts(std::vector<LoginQuestion> const& questions, Deadline deadline) {
    return session_.query(facts_query, {to_json(questions).dump()}, deadline);
}

Result<std::vector<HbaLogin>> LoginServer::query_patterns(std::vector<LoginQuestion> const& questions, Deadline deadline) {
    std::vector<HbaLogin> logins(questions.size());
    auto const patterns = hba_patterns(rules_->candidates());
    if (session_.server_version() < 160000 || patterns.empty()) return logins;
    auto pairs = Json::array();
    for (auto const& question : questions) pairs.push_back({in_hex(question.user), in_hex(question.database)});
    auto list = Json::array();
    for (auto const& pattern : patterns) list.push_back(in_hex(pattern));
    PGTANDEM_TRY(rows, session_.query(patterns_query, {pairs.dump(), list.dump()}, deadline));
    if (rows.size() != questions.size()) return fail("looking up who may log in", "", "the server gave too few rows");
    auto login = logins.begin();
    for (auto const& row : rows) {
        login->user_patterns = set_of_names(row[0]);
        login++->database_patterns = set_of_names(row[1]);
    }
    return logins;
}

LoginAnswer LoginServer::answer_of(LoginQuestion const& question, Rows::Row const& row, HbaLogin login) const {
    LoginAnswer answer;
    auto& facts = answer.facts;
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
    facts.identity = row[15].value_or("");
    facts.mock = mock_;
    facts.server_major = session_.server_version() / 10000;
    login.user = question.user;
    login.database = question.database;
    login.is_replication = question.is_replication;
    login.is_tls = question.is_tls;
    login.peer_address = address_of(question);
    login.roles = set_of_names(row[14]);
    // samehost and samenet speak of the server's machine.
    if (is_same_machine_) login.server_networks = own_networks();
    auto const verdict = evaluate_hba(rules_->candidates(), login, facts.server_major);
    facts.method = verdict.method;
    facts.refusal = verdict.refusal;
    // Another machine may know other names, or none.
    if (verdict.needs_peer_name && is_same_machine_) answer.open_case = HbaCase{rules_->candidates(), std::move(login), facts.server_major};
    return answer;
}

// Clients on the endpoint's own machine would reach a server elsewhere from this machine's address.
std::string LoginServer::address_of(LoginQuestion const& question) const {
    if (is_same_machine_) return question.peer_address;
    auto const peer = IpAddress::parse(question.peer_address);
    return question.peer_address.empty() || (peer && peer->is_loopback()) ? our_address_ : question.peer_address;
}

}  // namespace pgtandem::proxy
