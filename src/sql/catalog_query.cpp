// The rows of its sections: kind, subject, object, detail. Subjects of relations are oids; functions go by their bare names.
//   function  name           -              a volatile one whose code is not looked at; one that sets for itself what literals are read by,
//                                           so that what it calls may keep plans by that
//   body      name           -              code of a volatile one
//   code      name           language | -   code of one that is not volatile; no language: SQL or PL/pgSQL
//   calls     function       function       -              an aggregate's parts, a default of an argument
//   relation  oid            name           identity | view | -
//   uses      relation       function       r | w | i: in which way of touching the relation the function runs
//   edge      relation       relation       rr | ww | ri ...: touching the first so touches the second so
//   locks     relation       -              -              a view whose query is FOR UPDATE or the like
//   operator  symbol         function       -
//   anywhere  function       -              what uses it: a cast, a domain, an operator class
//   on_ddl    function       -              the event trigger; or what validates functions of a language, or servers of a foreign data wrapper
//   on_login  function       -              the event trigger (PostgreSQL 17)
//   routines  schema         -              all of it: lines "least arguments, most arguments or 255, volatility, name"
//   relations schema         -              all of it: lines "oid and kind, name"; without temporary ones
//   operators -              -              all symbols, in lines
#include "sql/catalog_query.hpp"

#include <array>
#include <initializer_list>

namespace pgtandem::sql {

namespace {

// Expressions are searched for the functions and operators they hold in the form in which the catalog keeps them
// (pg_node_tree), since pg_depend does not tell of PostgreSQL's own functions. Objects below 16384 are PostgreSQL's; 750 is array_in.
// Of code as much as shows that it is longer than function_code_max.
constexpr std::string_view functions = R"sql(WITH code (name, language, body) AS (
    SELECT p.proname, CASE WHEN l.lanname OPERATOR(pg_catalog.<>) ALL ('{sql,plpgsql}') THEN l.lanname::pg_catalog.text END, CASE WHEN p.prosrc OPERATOR(pg_catalog.=) '' THEN pg_catalog.pg_get_functiondef(p.oid) ELSE pg_catalog.left(p.prosrc, 65537) END
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
    WHERE p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid AND p.provolatile OPERATOR(pg_catalog.<>) 'v'
      AND p.prokind OPERATOR(pg_catalog.<>) 'a' AND l.lanname OPERATOR(pg_catalog.<>) ALL ('{c,internal}')
)
SELECT CASE WHEN l.lanname OPERATOR(pg_catalog.=) ANY ('{sql,plpgsql}') AND p.prosrc OPERATOR(pg_catalog.<>) '' THEN 'body' ELSE 'function' END,
    p.proname::pg_catalog.text, NULL::pg_catalog.text, pg_catalog.left(p.prosrc, 65537)
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
WHERE p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid AND p.provolatile OPERATOR(pg_catalog.=) 'v'
  AND p.prokind OPERATOR(pg_catalog.<>) 'a' AND l.lanname OPERATOR(pg_catalog.<>) ALL ('{c,internal}')
UNION ALL
SELECT 'function', p.proname::pg_catalog.text, NULL, NULL FROM pg_catalog.pg_proc p
WHERE p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid AND EXISTS (SELECT FROM pg_catalog.unnest(p.proconfig) AS c (setting)
    WHERE pg_catalog.split_part(pg_catalog.lower(c.setting), '=', 1) OPERATOR(pg_catalog.=) ANY (
        '{array_nulls,bytea_output,datestyle,extra_float_digits,intervalstyle,lc_monetary,lc_numeric,lc_time,quote_all_identifiers,timezone,timezone_abbreviations,transform_null_equals,xmloption}'::pg_catalog.text[]))
UNION ALL
SELECT 'code', c.name::pg_catalog.text, c.language, c.body FROM code c
UNION ALL
SELECT 'calls', a.proname::pg_catalog.text, p.proname::pg_catalog.text, NULL
FROM pg_catalog.pg_aggregate g
JOIN pg_catalog.pg_proc a ON a.oid OPERATOR(pg_catalog.=) g.aggfnoid::pg_catalog.oid
JOIN pg_catalog.pg_proc p ON p.oid::pg_catalog.oid OPERATOR(pg_catalog.=) ANY (ARRAY[g.aggtransfn::pg_catalog.oid,
    g.aggfinalfn::pg_catalog.oid, g.aggcombinefn::pg_catalog.oid, g.aggmtransfn::pg_catalog.oid, g.aggminvtransfn::pg_catalog.oid,
    g.aggmfinalfn::pg_catalog.oid, g.aggserialfn::pg_catalog.oid, g.aggdeserialfn::pg_catalog.oid])
WHERE a.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
UNION ALL
SELECT 'calls', p.proname::pg_catalog.text, f.proname::pg_catalog.text, NULL
FROM pg_catalog.pg_proc p, pg_catalog.regexp_matches(p.proargdefaults::pg_catalog.text, ':(funcid|opno) ([0-9]+)', 'g') AS m (found)
LEFT JOIN pg_catalog.pg_operator o ON m.found[1] OPERATOR(pg_catalog.=) 'opno' AND o.oid OPERATOR(pg_catalog.=) m.found[2]::pg_catalog.oid
JOIN pg_catalog.pg_proc f ON f.oid OPERATOR(pg_catalog.=) COALESCE(o.oprcode::pg_catalog.oid, m.found[2]::pg_catalog.oid)
WHERE p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid AND p.proargdefaults IS NOT NULL
UNION ALL
SELECT 'calls', p.proname::pg_catalog.text, b.proname::pg_catalog.text, NULL
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang AND l.lanname OPERATOR(pg_catalog.=) 'internal'
JOIN pg_catalog.pg_proc b ON b.prosrc OPERATOR(pg_catalog.=) p.prosrc AND b.prolang OPERATOR(pg_catalog.=) p.prolang AND b.oid OPERATOR(pg_catalog.<) 16384::pg_catalog.oid
WHERE p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
UNION ALL
SELECT 'calls', p.proname::pg_catalog.text, p.prosrc, NULL
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang AND l.lanname OPERATOR(pg_catalog.=) 'c'
WHERE p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid AND p.prosrc OPERATOR(pg_catalog.<>) p.proname::pg_catalog.text
UNION ALL
SELECT 'routines', n.nspname::pg_catalog.text, NULL, pg_catalog.string_agg(r.line, pg_catalog.chr(10) ORDER BY r.line COLLATE pg_catalog."C")
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace,
LATERAL (SELECT pg_catalog.concat_ws(' ',
    CASE WHEN p.provariadic OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN p.pronargs OPERATOR(pg_catalog.-) p.pronargdefaults
        ELSE GREATEST(p.pronargs OPERATOR(pg_catalog.-) p.pronargdefaults OPERATOR(pg_catalog.-) 1, 0) END,
    CASE WHEN p.provariadic OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN p.pronargs ELSE 255 END,
    p.provolatile, pg_catalog.replace(p.proname::pg_catalog.text, pg_catalog.chr(10), ' '))) AS r (line)
WHERE p.prokind OPERATOR(pg_catalog.<>) 'p'
GROUP BY n.nspname)sql";

constexpr std::string_view relations = R"sql(SELECT 'relation', c.oid::pg_catalog.text, c.relname::pg_catalog.text,
    CASE WHEN c.relkind OPERATOR(pg_catalog.=) 'v' THEN 'view' WHEN EXISTS (SELECT FROM pg_catalog.pg_attribute a
        WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attidentity OPERATOR(pg_catalog.<>) '') THEN 'identity' END
FROM pg_catalog.pg_class c
WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f}') AND (c.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
    OR EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class OPERATOR(pg_catalog.=) c.oid AND r.ev_type OPERATOR(pg_catalog.<>) '1'))
UNION ALL
SELECT 'relations', n.nspname::pg_catalog.text, NULL, pg_catalog.string_agg(r.line, pg_catalog.chr(10) ORDER BY r.line COLLATE pg_catalog."C")
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace,
LATERAL (SELECT pg_catalog.concat(c.oid, CASE WHEN c.relpersistence OPERATOR(pg_catalog.=) 'u' THEN 'u' ELSE c.relkind END, ' ',
    pg_catalog.replace(c.relname::pg_catalog.text, pg_catalog.chr(10), ' '))) AS r (line)
WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f,S}') AND c.relpersistence OPERATOR(pg_catalog.<>) 't'
  AND n.nspname OPERATOR(pg_catalog.<>) 'pg_toast'
GROUP BY n.nspname)sql";

constexpr std::string_view operators = R"sql(SELECT 'operator', o.oprname::pg_catalog.text, p.proname::pg_catalog.text, NULL
FROM pg_catalog.pg_operator o
JOIN pg_catalog.pg_operator x ON x.oid OPERATOR(pg_catalog.=) ANY (ARRAY[o.oid, o.oprcom, o.oprnegate])
JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) x.oprcode::pg_catalog.oid
WHERE o.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
UNION ALL
SELECT 'operators', NULL, NULL, pg_catalog.string_agg(s.symbol, pg_catalog.chr(10) ORDER BY s.symbol COLLATE pg_catalog."C")
FROM (SELECT DISTINCT o.oprname::pg_catalog.text FROM pg_catalog.pg_operator o) AS s (symbol))sql";

// Mode 'f': planning any statement that touches the relation evaluates it, as far as it is IMMUTABLE and its arguments are constants.
constexpr std::string_view uses = R"sql(WITH RECURSIVE keys (relid, tree) AS (
    SELECT t.partrelid, t.partexprs::pg_catalog.text FROM pg_catalog.pg_partitioned_table t WHERE t.partexprs IS NOT NULL
    UNION
    SELECT i.inhrelid, k.tree FROM keys k JOIN pg_catalog.pg_inherits i ON i.inhparent OPERATOR(pg_catalog.=) k.relid
), trees (relid, modes, tree) AS (
    SELECT d.adrelid, CASE WHEN a.attgenerated OPERATOR(pg_catalog.=) '' THEN 'i' WHEN a.attgenerated OPERATOR(pg_catalog.=) 's' THEN 'w' ELSE 'rw' END,
        d.adbin::pg_catalog.text
    FROM pg_catalog.pg_attrdef d
    JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) d.adrelid AND a.attnum OPERATOR(pg_catalog.=) d.adnum
    UNION ALL
    SELECT c.conrelid, 'wf', c.conbin::pg_catalog.text FROM pg_catalog.pg_constraint c
    WHERE c.conbin IS NOT NULL AND c.conrelid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
    UNION ALL
    SELECT i.indrelid, 'wf', pg_catalog.concat(i.indexprs::pg_catalog.text, i.indpred::pg_catalog.text)
    FROM pg_catalog.pg_index i WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
    UNION ALL
    SELECT k.relid, 'rw', k.tree FROM keys k
    UNION ALL
    SELECT s.stxrelid, 'wf', pg_catalog.to_jsonb(s.*) OPERATOR(pg_catalog.->>) 'stxexprs' FROM pg_catalog.pg_statistic_ext s
    UNION ALL
    SELECT t.tgrelid, 'w', t.tgqual::pg_catalog.text FROM pg_catalog.pg_trigger t WHERE t.tgqual IS NOT NULL
    UNION ALL
    SELECT p.polrelid, 'rw', pg_catalog.concat(p.polqual::pg_catalog.text, p.polwithcheck::pg_catalog.text)
    FROM pg_catalog.pg_policy p
    UNION ALL
    SELECT r.ev_class, CASE WHEN r.ev_type OPERATOR(pg_catalog.=) '1' THEN 'rw' ELSE 'w' END,
        pg_catalog.concat(r.ev_qual::pg_catalog.text, r.ev_action::pg_catalog.text)
    FROM pg_catalog.pg_rewrite r WHERE r.ev_class OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid OR r.ev_type OPERATOR(pg_catalog.<>) '1'
), domain_trees (tree) AS (
    SELECT c.conbin::pg_catalog.text FROM pg_catalog.pg_constraint c
    WHERE c.contypid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid AND c.conbin IS NOT NULL
      AND c.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
    UNION ALL
    SELECT t.typdefaultbin::pg_catalog.text FROM pg_catalog.pg_type t
    WHERE t.typdefaultbin IS NOT NULL AND t.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
), named (relid, modes, what, id) AS (
    SELECT DISTINCT e.relid, e.modes, m.found[1], m.found[2]::pg_catalog.oid
    FROM trees e, pg_catalog.regexp_matches(e.tree, ':(funcid|aggfnoid|winfnoid|opno|eqop|sortop|relid) ([0-9]+)', 'g') AS m (found)
    UNION
    SELECT e.relid, e.modes, 'opno', w.id::pg_catalog.oid
    FROM trees e, pg_catalog.regexp_matches(e.tree, ':opnos [(]o ([0-9 ]+)[)]', 'g') AS m (found), pg_catalog.regexp_split_to_table(m.found[1], ' ') AS w (id)
), found (relid, mode, what, id) AS (
    SELECT n.relid, m.mode, n.what, n.id FROM named n, pg_catalog.regexp_split_to_table(n.modes, '') AS m (mode)
    UNION
    SELECT NULL, 'any', m.found[1], m.found[2]::pg_catalog.oid
    FROM domain_trees d, pg_catalog.regexp_matches(d.tree, ':(funcid|opno) ([0-9]+)', 'g') AS m (found)
), used (relid, mode, function) AS (
    SELECT f.relid, f.mode, f.id FROM found f WHERE f.what OPERATOR(pg_catalog.<>) ALL ('{relid,opno,eqop,sortop}')
    UNION
    SELECT f.relid, f.mode, o.oprcode::pg_catalog.oid FROM found f
    JOIN pg_catalog.pg_operator o ON o.oid OPERATOR(pg_catalog.=) f.id WHERE f.what OPERATOR(pg_catalog.=) ANY ('{opno,eqop,sortop}')
    UNION
    SELECT c.conrelid, 'w', o.oprcode::pg_catalog.oid FROM pg_catalog.pg_constraint c, pg_catalog.unnest(c.conexclop) AS x (id)
    JOIN pg_catalog.pg_operator o ON o.oid OPERATOR(pg_catalog.=) x.id
    UNION
    SELECT t.tgrelid, 'w', t.tgfoid FROM pg_catalog.pg_trigger t
)
SELECT 'uses', u.relid::pg_catalog.text, p.proname::pg_catalog.text, pg_catalog.replace(u.mode, 'f', 'r')
FROM used u JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) u.function
WHERE u.relid IS NOT NULL AND (u.mode OPERATOR(pg_catalog.<>) 'f' OR p.provolatile OPERATOR(pg_catalog.=) 'i')
UNION ALL
SELECT 'edge', f.relid::pg_catalog.text, f.id::pg_catalog.text, f.mode OPERATOR(pg_catalog.||) m.mode
FROM found f, (VALUES ('r'), ('w'), ('i')) AS m (mode)
WHERE f.what OPERATOR(pg_catalog.=) 'relid' AND f.mode OPERATOR(pg_catalog.<>) 'f' AND (m.mode OPERATOR(pg_catalog.=) 'r' OR f.mode OPERATOR(pg_catalog.=) 'w')
UNION ALL
SELECT 'edge', i.inhparent::pg_catalog.text, i.inhrelid::pg_catalog.text, m.mode OPERATOR(pg_catalog.||) m.mode
FROM pg_catalog.pg_inherits i, (VALUES ('r'), ('w'), ('i')) AS m (mode)
UNION ALL
SELECT 'edge', c.confrelid::pg_catalog.text, c.conrelid::pg_catalog.text, m.mode
FROM pg_catalog.pg_constraint c, (VALUES ('ww'), ('wi')) AS m (mode)
WHERE c.contype OPERATOR(pg_catalog.=) 'f' AND ('d' OPERATOR(pg_catalog.=) ANY (ARRAY[c.confupdtype, c.confdeltype])
   OR (m.mode OPERATOR(pg_catalog.=) 'ww' AND (c.confupdtype OPERATOR(pg_catalog.=) ANY ('{c,n}') OR c.confdeltype OPERATOR(pg_catalog.=) ANY ('{c,n}'))))
UNION ALL
SELECT 'edge', x.touched::pg_catalog.text, x.looked_at::pg_catalog.text, 'wr'
FROM pg_catalog.pg_constraint c, LATERAL (VALUES (c.conrelid, c.confrelid), (c.confrelid, c.conrelid)) AS x (touched, looked_at)
WHERE c.contype OPERATOR(pg_catalog.=) 'f'
UNION ALL
SELECT 'locks', r.ev_class::pg_catalog.text, NULL, NULL FROM pg_catalog.pg_rewrite r
WHERE r.ev_class OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid AND r.ev_action::pg_catalog.text OPERATOR(pg_catalog.~) ':rowMarks [(]'
UNION ALL
SELECT 'anywhere', p.proname::pg_catalog.text, NULL, x.what
FROM (SELECT c.castfunc::pg_catalog.oid, 'cast', c.oid FROM pg_catalog.pg_cast c
      UNION ALL SELECT a.amproc::pg_catalog.oid, 'operator class', a.oid FROM pg_catalog.pg_amproc a
      UNION ALL SELECT o.oprcode::pg_catalog.oid, 'operator class', a.oid FROM pg_catalog.pg_amop a
                JOIN pg_catalog.pg_operator o ON o.oid OPERATOR(pg_catalog.=) a.amopopr WHERE a.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
      UNION ALL SELECT f.id, 'range type', r.rngtypid FROM pg_catalog.pg_range r,
                pg_catalog.unnest(ARRAY[r.rngcanonical::pg_catalog.oid, r.rngsubdiff::pg_catalog.oid]) AS f (id)
      UNION ALL SELECT f.id, 'type', t.oid FROM pg_catalog.pg_type t, pg_catalog.unnest(ARRAY[t.typinput::pg_catalog.oid, t.typoutput::pg_catalog.oid,
                t.typreceive::pg_catalog.oid, t.typsend::pg_catalog.oid, t.typmodin::pg_catalog.oid, t.typmodout::pg_catalog.oid, t.typanalyze::pg_catalog.oid]) AS f (id)
                WHERE t.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid AND t.typtype OPERATOR(pg_catalog.=) 'b' AND t.typinput::pg_catalog.oid OPERATOR(pg_catalog.<>) 750::pg_catalog.oid
      UNION ALL SELECT u.function, 'domain', 16384::pg_catalog.oid FROM used u WHERE u.relid IS NULL) AS x (function, what, owner)
JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) x.function
WHERE x.owner OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
UNION ALL
SELECT CASE WHEN e.evtevent OPERATOR(pg_catalog.=) 'login' THEN 'on_login' ELSE 'on_ddl' END, p.proname::pg_catalog.text, NULL, e.evtname::pg_catalog.text
FROM pg_catalog.pg_event_trigger e JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) e.evtfoid WHERE e.evtenabled OPERATOR(pg_catalog.<>) 'D'
UNION ALL
SELECT 'on_ddl', p.proname::pg_catalog.text, NULL, x.what
FROM (SELECT w.fdwvalidator, w.fdwname::pg_catalog.text FROM pg_catalog.pg_foreign_data_wrapper w
      UNION ALL SELECT l.lanvalidator, l.lanname::pg_catalog.text FROM pg_catalog.pg_language l) AS x (function, what)
JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) x.function WHERE p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid)sql";

struct Source {
    std::string_view table;
    std::string_view rows = "true";  // those that matter
};

// A number that is another one when any row of these is: each version of a row has its own place and transaction.
std::string signature_of(std::initializer_list<Source> sources) {
    std::string hashes;
    for (auto const& [table, rows] : sources) {
        if (!hashes.empty()) hashes += " UNION ALL ";
        hashes.append("SELECT pg_catalog.hashtextextended(pg_catalog.concat(t.xmin, ' ', t.ctid), 0) FROM pg_catalog.").append(table);
        hashes.append(" t WHERE ").append(rows);
    }
    return "(SELECT pg_catalog.sum(h.hash) FROM (" + hashes + ") AS h (hash))";
}

enum Signature : std::size_t { of_routines, of_names, of_tables, of_tables_in_code, of_operators, of_others };

}  // namespace

std::span<CatalogSection const> catalog_sections() {
    static std::array<CatalogSection, 4> const sections{{{functions, {of_routines, of_names, of_tables_in_code}},
                                                         {relations, {of_tables, of_names}},
                                                         {operators, {of_operators, of_routines}},
                                                         {uses, {of_others, of_operators, of_routines}}}};
    return sections;
}

std::string catalog_signatures_query() {
    std::string const tables = "t.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f,S}') AND t.relpersistence OPERATOR(pg_catalog.<>) 't'";
    // Code that PostgreSQL keeps as a tree names relations by what they are called at present.
    std::string const tables_in_code = tables + R"sql( AND EXISTS (SELECT FROM pg_catalog.pg_proc p
        WHERE p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid AND p.prosrc OPERATOR(pg_catalog.=) ''))sql";
    std::string const own = "t.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid";
    // In the order of Signature.
    return "SELECT " + signature_of({{"pg_proc"}}) + ", " + signature_of({{"pg_language"}, {"pg_namespace"}}) + ", " +
           signature_of({{"pg_class", tables}}) + ", " + signature_of({{"pg_class", tables_in_code}}) + ", " +
           signature_of({{"pg_operator"}}) + ", " +
           signature_of({{"pg_attrdef"},
                         {"pg_constraint", "t.contype OPERATOR(pg_catalog.=) ANY ('{c,f,x}')"},
                         {"pg_index", "t.indexprs IS NOT NULL OR t.indpred IS NOT NULL"},
                         {"pg_trigger"},
                         {"pg_policy"},
                         {"pg_rewrite", "t.ev_class OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid"},
                         {"pg_type", "(t.typdefaultbin IS NOT NULL OR (t.typtype OPERATOR(pg_catalog.=) 'b' AND t.typinput::pg_catalog.oid OPERATOR(pg_catalog.<>) 750::pg_catalog.oid)) AND " + own},
                         {"pg_partitioned_table", "t.partexprs IS NOT NULL"},
                         {"pg_statistic_ext"},
                         {"pg_amop", own},
                         {"pg_inherits"},
                         {"pg_cast"},
                         {"pg_amproc", own},
                         {"pg_range"},
                         {"pg_event_trigger"},
                         {"pg_foreign_data_wrapper"},
                         {"pg_language"}});
}

}  // namespace pgtandem::sql
