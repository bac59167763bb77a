#include "proxy/sharing_check.hpp"

#include <algorithm>
#include <utility>

#include "pg/quoting.hpp"
#include "sql/lexer.hpp"
#include "wire/backend.hpp"
#include "wire/error_response.hpp"
#include "wire/query.hpp"
#include "wire/writer.hpp"

namespace pgtandem::proxy {

namespace {

constexpr std::size_t most_statements = 100;
constexpr std::size_t most_of_statement = 2000;
constexpr std::size_t most_names = 1000;
constexpr std::size_t shown_of_prepared = 60;
constexpr std::string_view own_statement = "pgtandem_check";
// Whatever the session's own transactions are: a serializable one does not run on a replica, a deferrable one waits.
constexpr char const* begin_statement = "BEGIN ISOLATION LEVEL READ COMMITTED";

// No message of ours depends on the session's client_encoding: letters beyond ASCII come as '?'.
std::string plain(std::string const& expression) {
    return "pg_catalog.regexp_replace((" + expression + ")::pg_catalog.text COLLATE pg_catalog.\"C\", '[^ -~]', '?', 'g')";
}

std::string as_plain(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const byte = static_cast<unsigned char>(text[i]);
        // One letter of UTF-8 is one '?'.
        if ((byte & 0xc0U) == 0x80U) continue;
        plain += byte >= ' ' && byte <= '~' ? text[i] : '?';
    }
    return plain;
}

// Custom settings are in no list: those are asked for whose names any statement of this thread has had in it.
std::set<std::string, std::less<>>& seen_names() {
    thread_local std::set<std::string, std::less<>> names;
    return names;
}

bool is_of_name(char c) { return sql::identifier_fold[static_cast<unsigned char>(c)] != 0 && static_cast<unsigned char>(c) < 0x80; }

void note_names(std::string_view text) {
    for (auto dot = text.find('.'); dot != text.npos; dot = text.find('.', dot + 1)) {
        auto begin = dot;
        auto end = dot + 1;
        while (begin > 0 && is_of_name(text[begin - 1])) --begin;
        while (end < text.size() && is_of_name(text[end])) ++end;
        bool const is_name = begin < dot && end > dot + 1 && (text[begin] < '0' || text[begin] > '9');
        if (!is_name || seen_names().size() >= most_names) continue;
        std::string name;
        for (char c : text.substr(begin, end - begin)) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        seen_names().insert(std::move(name));
    }
}

// Not the session's: set by each transaction, or told by the server.
constexpr std::string_view state_query = R"sql(
SELECT 'setting', pg_catalog.lower(s.name), %VALUE% FROM pg_catalog.pg_settings s
WHERE s.context OPERATOR(pg_catalog.=) ANY ('{user,superuser,backend,superuser-backend}')
  AND (s.source OPERATOR(pg_catalog.=) 'session' OR COALESCE(s.setting, '') OPERATOR(pg_catalog.<>) COALESCE(s.reset_val, ''))
  AND s.name OPERATOR(pg_catalog.<>) ALL ('{transaction_isolation,transaction_read_only,transaction_deferrable}')
UNION ALL
SELECT 'session_user', %SESSION_USER%, NULL
UNION ALL
SELECT 'lock', l.locktype, pg_catalog.concat_ws(' ', l.mode, l.relation, l.classid, l.objid, l.objsubid) FROM pg_catalog.pg_locks l
WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND l.locktype OPERATOR(pg_catalog.<>) 'virtualxid'
  AND NOT (l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.mode OPERATOR(pg_catalog.=) 'AccessShareLock'
           AND l.relation OPERATOR(pg_catalog.<) 16384::pg_catalog.oid)
UNION ALL
SELECT 'prepared', %PREPARED_NAME%, %PREPARED_TEXT% FROM pg_catalog.pg_prepared_statements p
WHERE p.name OPERATOR(pg_catalog.<>) 'pgtandem_check'
UNION ALL
SELECT 'cursor', %CURSOR%, NULL FROM pg_catalog.pg_cursors c WHERE c.name OPERATOR(pg_catalog.<>) ''
UNION ALL
SELECT 'slot', %SLOT%, NULL FROM pg_catalog.pg_get_replication_slots() r
WHERE r.temporary AND r.active_pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
UNION ALL
SELECT 'listen', %CHANNEL%, NULL FROM pg_catalog.pg_listening_channels() AS l (channel)
UNION ALL
SELECT 'temporary', d.classid::pg_catalog.regclass::pg_catalog.text, d.objid::pg_catalog.text FROM pg_catalog.pg_depend d
WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
UNION ALL
)sql";

std::string state_query_text() {
    std::string text(state_query);
    std::pair<std::string_view, std::string> const parts[] = {
        {"%VALUE%", plain("s.setting")},        {"%SESSION_USER%", plain("SESSION_USER")},
        {"%PREPARED_NAME%", plain("p.name")},   {"%PREPARED_TEXT%", plain("pg_catalog.left(p.statement, 60)")},
        {"%CURSOR%", plain("c.name")},          {"%SLOT%", plain("r.slot_name")},
        {"%CHANNEL%", plain("l.channel")},
    };
    for (auto const& [mark, with] : parts) text.replace(text.find(mark), mark.size(), with);
    return text;
}

// What can only be told by functions that fail, or that not everybody may call: within PL/pgSQL their errors do not reach the server's
// log. setval() is seen by currval() alone. No lock is waited for.
constexpr std::string_view inquiry = R"sql(DO $check$
DECLARE
    sequence pg_catalog.oid;
    told pg_catalog.text := '';
BEGIN
    PERFORM pg_catalog.set_config('lock_timeout', '20', true);
    FOR sequence IN SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relkind OPERATOR(pg_catalog.=) 'S' ORDER BY c.oid DESC LIMIT 50 LOOP
        BEGIN
            told := pg_catalog.concat(told, 'currval of sequence ', sequence, ' is ', pg_catalog.currval(sequence), '; ');
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    BEGIN
        told := pg_catalog.concat(told, 'lastval is ', pg_catalog.lastval(), '; ');
    EXCEPTION
        WHEN object_not_in_prerequisite_state THEN NULL;
        WHEN OTHERS THEN told := pg_catalog.concat(told, 'lastval: ', SQLERRM, '; ');
    END;
    PERFORM pg_catalog.set_config('pgtandem.drawn', told, true);
    told := 'f';
    IF pg_catalog.has_function_privilege('pg_catalog.pg_replication_origin_session_is_setup()', 'EXECUTE') THEN
        told := pg_catalog.pg_replication_origin_session_is_setup();
    END IF;
    PERFORM pg_catalog.set_config('pgtandem.origin', told, true);
END $check$)sql";
constexpr char const* inquiry_answer = "SELECT pg_catalog.current_setting('pgtandem.drawn'), pg_catalog.current_setting('pgtandem.origin')";

}  // namespace

void SharingCheck::note(std::string_view statement) {
    note_names(statement);
    if (statements_.size() < most_statements) statements_.emplace_back(statement.substr(0, most_of_statement));
}

std::vector<std::string> SharingCheck::take_statements() {
    was_asked_ = false;
    return std::exchange(statements_, {});
}

void SharingCheck::differ(std::string what) { differences_.push_back(std::move(what)); }

// Under a name of its own, so that the unnamed statement stays what it is. After an error it is still there.
void SharingCheck::ask(std::string const& text, ByteBuffer& out) const {
    wire::Close{'S', own_statement}.write(out);
    wire::Parse{own_statement, text}.write(out);
    wire::MessageWriter bind(out, 'B');
    bind.cstring("");
    bind.cstring(own_statement);
    for (int field = 0; field < 3; ++field) bind.int16(0);  // formats, values, result formats
    bind.finish();
    wire::Execute{""}.write(out);
    wire::Close{'S', own_statement}.write(out);
}

void SharingCheck::begin(BelievedState believed, ByteBuffer& out) {
    believed_ = std::move(believed);
    present_.clear();
    believed_values_.clear();
    prepared_.clear();
    differences_.clear();
    failure_.clear();
    has_failed_ = false;
    was_asked_ = true;
    step_ = Step::state;
    ask(begin_statement, out);
    ask(state_query_text() + values_query(), out);
    wire::write_sync(out);
    ask(std::string(inquiry), out);
    ask(inquiry_answer, out);
    wire::write_sync(out);
    // The error that tells of none ends temporary slots: it comes behind what looks for them.
    wire::Describe{'S', ""}.write(out);
    wire::write_sync(out);
}

// The values of what is believed to be set, of the role, and of custom settings that exist.
std::string SharingCheck::values_query() const {
    std::string known = "''";
    std::set<std::string, std::less<>> custom = believed_.custom_settings;
    for (auto const& name : seen_names()) custom.insert(name);
    for (auto const& [name, statement] : *believed_.settings) {
        if (is_custom(name)) custom.insert(name);
        else known += ", " + quoted_literal(name);
    }
    std::string names = "('role')";
    for (auto const& name : custom) names += ", (" + quoted_literal(name) + ")";
    auto const value = plain("pg_catalog.current_setting(n.name, true)");
    return "SELECT 'value', pg_catalog.lower(s.name), " + plain("s.setting") + " FROM pg_catalog.pg_settings s WHERE pg_catalog.lower(s.name) OPERATOR(pg_catalog.=) ANY (ARRAY[" +
           known + "]::pg_catalog.text[]) UNION ALL SELECT 'value', n.name, " + value + " FROM (VALUES " + names +
           ") AS n (name) WHERE pg_catalog.current_setting(n.name, true) IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_settings s"
           " WHERE pg_catalog.lower(s.name) OPERATOR(pg_catalog.=) pg_catalog.lower(n.name))";
}

// What is believed is set once more, in a transaction that is undone: a value that changes by that was another one.
void SharingCheck::ask_to_replay(ByteBuffer& out) {
    auto const& settings = *believed_.settings;
    ask("ROLLBACK", out);
    ask(begin_statement, out);
    ask(reset_statement("role"), out);
    for (auto const& [name, value] : present_) {
        if (is_custom(name) && !settings.contains(name)) ask(reset_statement(name), out);
    }
    for (auto const& [name, statement] : settings) {
        if (name != "role") ask(statement, out);
    }
    if (auto const role = settings.find("role"); role != settings.end()) ask(role->second, out);
    ask(values_query(), out);
    wire::write_sync(out);
    ask("ROLLBACK", out);
    wire::write_sync(out);
}

bool SharingCheck::take(char type, std::string_view body, ByteBuffer& out) {
    switch (type) {
        case 'D': return take_row(body);
        case 'E': take_error(body); return true;
        case 'Z': finish_step(out); return step_ != Step::done || body == "I";
        case 't':
            if (step_ == Step::unnamed && believed_.has_unnamed == false) differ("the unnamed statement is there, and nobody's");
            return true;
        default: return std::string_view("123CnTNs").find(type) != std::string_view::npos;
    }
}

bool SharingCheck::take_row(std::string_view body) {
    auto const row = wire::DataRow::parse(body);
    if (!row || row->values.empty()) return false;
    auto const text = [&](std::size_t column) { return std::string(column < row->values.size() ? row->values[column].value_or("") : ""); };
    switch (step_) {
        case Step::state:
            if (text(0) == "value") present_[text(1)] = text(2);
            else if (text(0) == "prepared") prepared_[text(1)] = text(2);
            else compare_held(text(0), text(1), text(2));
            return true;
        case Step::inquiry:
            if (!text(0).empty() && !believed_.has_drawn) differ("nobody has drawn a number, and " + as_plain(text(0)));
            if (text(1).starts_with('t')) differ("a replication origin is set up");
            return true;
        case Step::replay:
            // A replayed set_config() gives a row too.
            if (text(0) == "value" && row->values.size() == 3) believed_values_[text(1)] = text(2);
            return true;
        default: return false;
    }
}

void SharingCheck::take_error(std::string_view body) {
    auto const error = wire::ErrorFields::parse(body);
    has_failed_ = true;
    if (step_ == Step::unnamed && error.sqlstate == "26000" && believed_.has_unnamed == true) differ("the unnamed statement is not there");
    if (step_ == Step::state || step_ == Step::roll_back) failure_ = error.message;
}

void SharingCheck::finish_step(ByteBuffer& out) {
    if (step_ == Step::state && failure_.empty()) compare_prepared();
    // What cannot be set again, as a role that has been dropped since, is not compared.
    if (step_ == Step::replay && !has_failed_) compare_values();
    step_ = static_cast<Step>(static_cast<std::uint8_t>(step_) + 1);
    has_failed_ = false;
    if (step_ != Step::replay) return;
    if (failure_.empty()) return ask_to_replay(out);
    step_ = Step::roll_back;
    ask("ROLLBACK", out);
    wire::write_sync(out);
}

void SharingCheck::compare_held(std::string const& kind, std::string const& name, std::string const& value) {
    if (kind == "setting") {
        if (!believed_.settings->contains(name)) differ("setting " + name + " is '" + value + "'");
    } else if (kind == "session_user") {
        if (name != as_plain(believed_.user)) differ("session_user is " + name);
    } else {
        differ(kind + ": " + name + (value.empty() ? "" : " " + value));
    }
}

void SharingCheck::compare_prepared() {
    for (auto const& [name, text] : prepared_) {
        auto const known = believed_.prepared.find(name);
        if (known == believed_.prepared.end()) differ("prepared statement " + name + " is there: " + text);
        else if (as_plain(known->second).substr(0, shown_of_prepared) != text) differ("prepared statement " + name + " is another one: " + text);
    }
    for (auto const& [name, text] : believed_.prepared) {
        if (!prepared_.contains(name)) differ("prepared statement " + name + " is not there: " + text.substr(0, shown_of_prepared));
    }
}

void SharingCheck::compare_values() {
    for (auto const& [name, value] : present_) {
        auto const should = believed_values_.find(name);
        auto const wanted = should == believed_values_.end() ? std::nullopt : should->second;
        if (wanted != value) differ("setting " + name + " is '" + value.value_or("") + "' instead of '" + wanted.value_or("") + "'");
        bool const is_left = is_custom(name) && value == "" && !believed_.settings->contains(name) && !believed_.custom_settings.contains(name);
        if (is_left) differ("custom setting " + name + " is known");
    }
}

}  // namespace pgtandem::proxy
