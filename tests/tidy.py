"""The repository checks itself: run by ./dev test. Each rule is first tried on a sample that offends it."""
import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import cpp_shape  # noqa: E402

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 70
# "path" or "path:function" -> its lines today. May only shrink: lower the number with it, and take the row away below the limit.
RATCHET: dict[str, int] = {}

# Which folders of src/ a folder may include, besides itself and what those may include.
LAYERS = {
    "base": [],
    "pg": ["base"],
    "wire": ["pg"],
    "sql": ["pg"],
    "cluster": ["pg"],
    "api": ["pg"],
    "io": ["base"],
    "client": ["pg"],
    "instance": ["client", "io"],
    "store": ["cluster"],
    "agent": ["instance", "store", "cluster", "client"],
    "proxy": ["wire", "sql", "io", "client", "cluster"],
    "http": ["api"],
    "cli": ["api", "client"],
}
PURE = ("wire", "sql", "cluster", "api")
# What lets code see the world: sockets, threads, files, processes, the clock.
IMPURE_HEADER = re.compile(
    r"(sys|netinet|arpa|net)/(?!types\.h).*|(netdb|poll|fcntl|unistd|signal|pthread|sched|time|liburing)\.h|"
    r"thread|mutex|shared_mutex|condition_variable|future|stop_token|semaphore|latch|barrier|ctime|csignal|fstream|"
    r"base/(deadline|log|stop_signal|unique_fd|random)\.hpp"
)
CLOCK = re.compile(r"\b\w*[cC]lock::now\(")

SOURCE = (".cpp", ".hpp")
TEXT = SOURCE + (".py", ".md", ".txt", ".json", ".cmake", ".ini", ".sh", ".js", ".css", ".html", ".toml", ".yml", ".sql", "")
NOT_OURS = {".git", ".cache", "build", "node_modules", "__pycache__", "corpus", "found"}
NO_UNIT_TEST = "tests/no_unit_test.txt"


def tree():
    """Every text file of the repository: {path from its root: text}."""
    files = {}
    for path in sorted(ROOT.rglob("*")):
        inner = path.relative_to(ROOT)
        if NOT_OURS.isdisjoint(inner.parts) and path.suffix in TEXT and path.is_file():
            files[inner.as_posix()] = path.read_text(encoding="utf-8")
    return files


def closure(folder):
    if folder == "apps":
        return {*LAYERS, "apps"}
    return {folder}.union(*(closure(below) for below in LAYERS[folder]))


def sources(files, *folders):
    for path, text in files.items():
        if path.endswith(SOURCE) and path.startswith(folders or ("src/",)):
            yield path, text


def includes_go_down(files):
    for path, text in sources(files):
        folder = path.split("/")[1]
        if folder not in LAYERS and folder != "apps":
            yield f"{path}: tests/tidy.py knows no folder src/{folder}"
            continue
        for header in cpp_shape.includes(text)[0]:
            if header.split("/")[0] not in closure(folder):
                yield f"{path}: {folder} may not include {header}"
            elif f"src/{header}" not in files:
                yield f"{path}: there is no src/{header}"


def pure_folders_see_no_world(files):
    pure = {path for path, _ in sources(files, *(f"src/{folder}/" for folder in PURE))}
    for path in sorted(pure):
        seen, waiting = set(), [path]
        while waiting:
            here = waiting.pop()
            own, system = cpp_shape.includes(files.get(here, ""))
            for header in own + system:
                if IMPURE_HEADER.fullmatch(header):
                    yield f"{path}: is to be pure, but {'includes' if here == path else here + ' includes'} {header}"
            inner = {f"src/{header}" for header in own} - seen
            seen |= inner
            waiting += inner
        if CLOCK.search(cpp_shape.blank(files[path])):
            yield f"{path}: is to be pure, but reads the clock"


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def sizes(files):
    """(what, where, lines, limit) of each file and function of code."""
    for path, text in files.items():
        is_python = path.endswith(".py")
        if not (is_python or path.endswith(SOURCE + (".js", ".cmake")) or path in ("dev", "CMakeLists.txt")):
            continue
        yield path, path, text.count("\n"), MAX_FILE_LINES
        if is_python or path.endswith(SOURCE):
            of_file = python_functions(text) if is_python else cpp_shape.functions(text)
            for name, first, lines in of_file:
                yield f"{path}:{name}", f"{path}:{first}: {name}", lines, MAX_FUNCTION_LINES


def files_and_functions_can_be_held(files, ratchet=None):
    ratchet = dict(RATCHET if ratchet is None else ratchet)
    for what, where, lines, limit in sizes(files):
        allowed = ratchet.pop(what, limit)
        if lines > allowed:
            yield f"{where}: {lines} lines, at most {allowed}"
        elif allowed > limit and lines < allowed:
            yield f"{where}: shrank from {allowed} to {lines} lines; its row in RATCHET is to say so, or to go"
    yield from (f"{what}: in RATCHET, but not in the tree" for what in ratchet)


def nothing_is_left_for_later(files):
    word = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b(?!\(\w+\))")
    for path, text in files.items():
        for number, line in enumerate(text.split("\n"), 1):
            if match := word.search(line):
                yield f"{path}:{number}: {match.group()} without an owner"


def sources_have_their_tests(files):
    reasons = {}
    for line in files.get(NO_UNIT_TEST, "").split("\n"):
        if line and not line.startswith("#"):
            source, _, reason = line.partition(" ")
            reasons[source] = reason.strip()
    for path, _ in sources(files):
        if not path.endswith(".cpp") or path == "src/apps/main.cpp":
            continue
        test = path.replace("src/", "tests/unit/", 1).replace(".cpp", "_test.cpp")
        reason = reasons.pop(path, None)
        if (test in files) == (reason is not None):
            yield f"{path}: {'has a test and a reason to have none' if reason else f'neither {test} nor a row in {NO_UNIT_TEST}'}"
        for named in re.findall(r"\b[\w/]+\.(?:py|cpp)\b", reason or ""):
            if named not in files:
                yield f"{NO_UNIT_TEST}: {path}: there is no {named}"
    yield from (f"{NO_UNIT_TEST}: there is no {path}" for path in reasons)


def tests_have_their_sources(files):
    for path, _ in sources(files, "tests/unit/"):
        source = path.replace("tests/unit/", "src/", 1).removesuffix("_test.cpp")
        if path.endswith("_test.cpp") and not {source + suffix for suffix in SOURCE} & files.keys():
            yield f"{path}: neither {source}.cpp nor {source}.hpp is there"


def lines_are_clean(files):
    for path, text in files.items():
        for number, line in enumerate(text.split("\n"), 1):
            if "\t" in line:
                yield f"{path}:{number}: a tab"
            if line != line.rstrip() and not path.endswith(".md"):
                yield f"{path}:{number}: blanks at the end"
        if text and not text.endswith("\n"):
            yield f"{path}: its last line does not end"


def headers_say_what_they_are(files):
    for path, text in sources(files):
        if not path.endswith(".hpp"):
            continue
        if not text.startswith("// "):
            yield f"{path}: begins without a comment that says what it is"
        if "\n#pragma once\n" not in text:
            yield f"{path}: no #pragma once"


def no_machine_is_named(files):
    machine = re.compile(r"(?<![\w.~*)}])/(work|root)/")
    for path, text in files.items():
        for number, line in enumerate(text.split("\n"), 1):
            if match := machine.search(line):
                yield f"{path}:{number}: names a folder of one machine: {match.group()}"


LONG_FUNCTION = "int longest() {\n" + "    f();\n" * MAX_FUNCTION_LINES + "}\n"
# Each rule with trees that offend it.
RULES = [
    (includes_go_down, [{"src/cli/a.cpp": '#include "agent/b.hpp"\n', "src/agent/b.hpp": ""}, {"src/new/a.cpp": ""},
                        {"src/pg/a.cpp": '#include "pg/gone.hpp"\n'}]),
    (pure_folders_see_no_world, [{"src/wire/a.cpp": "#include <sys/socket.h>\n"}, {"src/sql/a.cpp": "#include <thread>\n"},
                                 {"src/cluster/a.cpp": "auto now = Clock::now();\n"},
                                 {"src/api/a.hpp": '#include "pg/b.hpp"\n', "src/pg/b.hpp": '#include "base/deadline.hpp"\n'}]),
    (files_and_functions_can_be_held, [{"src/pg/a.cpp": "\n" * 501}, {"src/pg/a.cpp": LONG_FUNCTION},
                                       {"dev": "\n" * 501}, {"tests/a.py": "def f():\n" + "    f()\n" * 70}]),
    (nothing_is_left_for_later, [{"a.md": "TO" "DO: more\n"}]),
    (sources_have_their_tests, [{"src/pg/a.cpp": ""}, {NO_UNIT_TEST: "src/pg/gone.cpp it went\n"},
                                {"src/pg/a.cpp": "", NO_UNIT_TEST: "src/pg/a.cpp covered by tests/gone.py\n"}]),
    (tests_have_their_sources, [{"tests/unit/pg/a_test.cpp": ""}]),
    (lines_are_clean, [{"a.py": "a \n"}, {"a.py": "\ta\n"}, {"a.py": "a"}]),
    (headers_say_what_they_are, [{"src/pg/a.hpp": "#pragma once\n"}, {"src/pg/a.hpp": "// What it is.\n"}]),
    (no_machine_is_named, [{"a.md": "see /" "root/a\n"}]),
]


def main():
    files = tree()
    failed = 0
    for rule, offending in RULES:
        blind = [sample for sample in offending if not list(rule(sample))]
        offences = [f"the rule does not see this: {sample}" for sample in blind] + list(rule(files))
        for offence in offences:
            print(f"{rule.__name__}: {offence}")
        failed += bool(offences)
    print(f"{len(RULES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
