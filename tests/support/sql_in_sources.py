"""The SQL that stands in the program's sources, as whole strings: what the compiler puts together is put together here."""
import re

# A string literal, raw or not; a comment is one of the other kinds, so that its quotes are not taken for a string's.
PIECES = re.compile(r"""
    (?P<comment> //[^\n]* | /\*.*?\*/ )
    | R"(?P<mark>[^()\s]*)\((?P<raw>.*?)\)(?P=mark)"
    | "(?P<text>(?:[^"\\\n]|\\.)*)"
    | '(?:[^'\\\n]|\\.)+'
    | (?P<code> \S )
    """, re.VERBOSE | re.DOTALL)
ESCAPES = {"n": "\n", "t": "\t", "0": "\0", '"': '"', "\\": "\\", "'": "'"}

VERBS = ("SELECT", "WITH", "PREPARE", "EXECUTE", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "SET", "RESET", "SHOW", "BEGIN",
         "COMMIT", "ROLLBACK", "DISCARD", "DEALLOCATE", "CLOSE", "LISTEN", "VALUES", "TABLE", "CALL", "DO")
BEGINNING = re.compile(rf"\s*({'|'.join(VERBS)})\b\s*\S", re.DOTALL)
# Parts of statements that are put together when they are sent.
PART = re.compile(r"pg_catalog\.|OPERATOR\(")


def unescaped(text):
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text, flags=re.DOTALL)


def strings_of(code):
    """Neighbours are one string."""
    whole = None
    for piece in PIECES.finditer(code):
        if piece["comment"]:
            continue
        if piece["raw"] is not None or piece["text"] is not None:
            whole = (whole or "") + (piece["raw"] if piece["raw"] is not None else unescaped(piece["text"]))
        elif whole is not None:
            yield whole
            whole = None
    if whole is not None:
        yield whole


def sql_in(folder):
    """File and text of each statement, or part of one."""
    for file in sorted(folder.rglob("*.[ch]pp")):
        for text in strings_of(file.read_text()):
            if BEGINNING.match(text) or PART.search(text):
                yield file.relative_to(folder), text
