"""What a statement leaves to the search_path: names, types and operators that are not said to be PostgreSQL's own."""
import ctypes
import ctypes.util
import functools
import json


class Answer(ctypes.Structure):
    _fields_ = [("tree", ctypes.c_char_p), ("stderr", ctypes.c_char_p), ("error", ctypes.c_void_p)]


@functools.cache
def library():
    # The program links it; the package's name for it has the parser's version.
    loaded = ctypes.CDLL(ctypes.util.find_library("pg_query") or "libpg_query.so")
    loaded.pg_query_parse.restype = Answer
    loaded.pg_query_parse.argtypes = [ctypes.c_char_p]
    loaded.pg_query_free_parse_result.argtypes = [Answer]
    return loaded


def parse(text):
    """The tree of PostgreSQL's parser, or None where it is no SQL."""
    answer = library().pg_query_parse(text.encode())
    tree = None if answer.error else json.loads(answer.tree)
    library().pg_query_free_parse_result(answer)
    return tree


def words_of(names):
    return [name["String"]["sval"] if "String" in name else "*" for name in names]


def is_ours(names):
    words = words_of(names)
    return len(words) == 2 and words[0] == "pg_catalog"


def fault_of_expression(node):
    # IN, BETWEEN, LIKE, NULLIF, IS DISTINCT FROM and the like name an operator that nobody can qualify.
    if node["kind"] not in ("AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_OP_ALL") or not is_ours(node["name"]):
        return f"{node['kind']} {' '.join(words_of(node['name']))}"
    return None


def fault_of_sublink(node):
    is_unnamed = node["subLinkType"] in ("ANY_SUBLINK", "ALL_SUBLINK", "ROWCOMPARE_SUBLINK") and not is_ours(node.get("operName", []))
    return f"{node['subLinkType']} without a qualified operator" if is_unnamed else None


FAULTS = {
    "FuncCall": lambda node: None if is_ours(node["funcname"]) else f"function {'.'.join(words_of(node['funcname']))}",
    "A_Expr": fault_of_expression,
    "SubLink": fault_of_sublink,
    "CaseExpr": lambda node: "CASE x WHEN" if "arg" in node else None,
    "JoinExpr": lambda node: "USING or NATURAL" if "usingClause" in node or "isNatural" in node else None,
    "SortBy": lambda node: "ORDER BY ... USING" if "useOp" in node else None,
    "CollateClause": lambda node: None if is_ours(node["collname"]) else "a collation",
}


class Search:
    def __init__(self):
        self.found = []
        self.tables = []  # of WITH

    def look_at(self, kind, node):
        if kind in FAULTS and (fault := FAULTS[kind](node)):
            self.found.append(fault)
        if kind == "CommonTableExpr":
            self.tables.append(node["ctename"])
        self.walk(node)

    def walk(self, node):
        if isinstance(node, list):
            for each in node:
                self.walk(each)
        elif isinstance(node, dict):
            # What WITH names is known to all of the statement.
            for key in sorted(node, key=lambda key: key != "withClause"):
                value = node[key]
                if key in ("typeName", "TypeName") and "names" in value and not is_ours(value["names"]):
                    self.found.append(f"type {'.'.join(words_of(value['names']))}")
                if key in ("relation", "RangeVar") and "relname" in value and "schemaname" not in value and value["relname"] not in self.tables:
                    self.found.append(f"relation {value['relname']}")
                self.look_at(key, value)


def unqualified(text):
    """What is left to the search_path, in words; nothing for what is no SQL."""
    search = Search()
    search.walk(parse(text))
    return search.found
