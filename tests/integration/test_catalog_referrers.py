"""docs/session-state.md says of each column of the catalog that refers to a function, or holds an expression, how it counts against a statement."""
import re
from pathlib import Path

from endpoint import Served

PAGE = Path(__file__).parents[2] / "docs" / "session-state.md"
COLUMNS = """
SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND a.atttypid IN ('regproc'::regtype, 'regprocedure'::regtype, 'pg_node_tree'::regtype)
UNION
SELECT f.fktable::text || '.' || f.fkcols[1] FROM pg_get_catalog_foreign_keys() AS f WHERE f.pktable = 'pg_proc'::regclass
"""


def test_each_column_that_refers_to_a_function_is_accounted_for():
    rows = [line.split("|")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `pg_")]
    named = {name for row in rows for name in re.findall(r"`(pg_\w+\.\w+)`", row)}
    with Served(replicas=0) as served:
        columns = {name for name, in served.straight.sql(COLUMNS)}
    assert columns - named == set(), "say in docs/session-state.md how these count, and let the catalog's query read them"
    assert named - columns == set()
