"""All SQL that stands in the sources names everything as PostgreSQL's own, whether a test sends it or not (CVE-2018-1058)."""
import itertools
import re

import pytest
from sql_in_sources import sql_in, strings_of
from sql_names import parse, unqualified
from tandem import ROOT

# What is put in when the statement is sent: a name, a literal, a list of either.
STAND_INS = ("pg_catalog.x", "x", "'x'", "1")
# What may stand around a part of a statement, which is put together when it is sent.
AROUND = ("{}", "SELECT true {}", "SELECT {}", "{} 'x'", "SELECT 1 {} 'x'", "{} pg_catalog.x", "{}x t", "{}x', 'x', false)", "SELECT {}1), 'x', 'x', 'g')",
          "SELECT pg_catalog.regexp_replace((1{}", "SELECT 1{}'x'])", "SELECT 1, 2, 3 WHERE 'x' OPERATOR(pg_catalog.=) ANY (ARRAY['x'{} 1",
          "SELECT 1 FROM (VALUES ('x'){}", "SELECT {}SELECT 1) h (hash))", "{} SELECT 1")
# What users are told to try.
HINTS = ("SELECT pg_reload_conf()", "SELECT pg_wal_replay_resume() on ")
# Messages and words that look like SQL, by their beginning.
NO_SQL = ("SET ", "SHOW ", "CREATE ", "DROP ", "ALTER ", "BEGIN", "CLOSE ", "COMMIT", "ROLLBACK", "DISCARD ", "PREPARE ", "EXECUTE ", "DEALLOCATE ", "SELECT ... ",
          "LISTEN", "WITH ")


def statement_of(text):
    """As it may be sent; None where no stand-in makes it SQL."""
    text = re.sub(r"%[A-Z_]+%", "1", text)
    holes = len(re.findall(r"\{\w*\}", text))
    for chosen in itertools.product(STAND_INS, repeat=min(holes, 4)):
        words = itertools.cycle(chosen) if chosen else iter(())
        filled = re.sub(r"\{\w*\}", lambda _: next(words), text)
        for around in AROUND:
            if parse(around.replace("{}", filled)) is not None:
                return around.replace("{}", filled)
    return None


FOUND = list(sql_in(ROOT / "src"))


def test_the_sources_are_seen():
    assert len(FOUND) > 80
    texts = [text for _, text in FOUND]
    assert any("pg_hba_file_rules" in text and "rule_number" not in text for text in texts)
    assert any("pg_stat_wal_receiver" in text for text in texts) and any(text.lstrip().startswith("PREPARE sample") for text in texts)


def test_all_of_it_names_everything_as_postgresqls_own():
    left = {}
    for file, text in FOUND:
        if text in (*HINTS, "pg_catalog."):
            continue
        statement = statement_of(text)
        if statement is None:
            if "pg_catalog" in text or not text.startswith(NO_SQL):
                left[f"{file}: {text[:300]}"] = "it is not understood"
        elif found := unqualified(statement):
            left[f"{file}: {text[:300]}"] = found
    assert left == {}


@pytest.mark.parametrize("code, seen", [
    ('"SELECT a" " FROM b"', ["SELECT a FROM b"]), ('R"(SELECT 1\n"x")" // "no"', ['SELECT 1\n"x"']), ("'\"' \"SELECT 1\";", ["SELECT 1"]),
    ('/* "SELECT 2" */ f("SELECT 3", "x")', ["SELECT 3", "x"])])
def test_strings_are_put_together(code, seen):
    assert list(strings_of(code + ";")) == seen


@pytest.mark.parametrize("text", ["SELECT 1 = 1", "SELECT count(*) FROM pg_catalog.pg_class", "SELECT x::text", "SELECT 1 FROM pg_class WHERE oid OPERATOR(pg_catalog.=) {}",
                                  " AND rolname = {}"])
def test_what_is_not_qualified_is_found(text):
    assert unqualified(statement_of(text))
