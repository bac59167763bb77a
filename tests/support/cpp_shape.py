"""The shape of a C++ source as far as the tidy rules need it: its includes, and where its functions begin and end."""
import re

TOKENS = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'|^\#(?:\\\n|[^\n])*""",
    re.DOTALL | re.MULTILINE,
)
CONTAINER = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")
INCLUDE = re.compile(r'^#include (?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def includes(text):
    """(own headers, system headers)"""
    found = INCLUDE.findall(text)
    return [own for own, _ in found if own], [system for _, system in found if system]


def blank(text):
    """The text without comments, literals and preprocessor lines, every line in its place."""
    return TOKENS.sub(lambda token: "\n" * token.group().count("\n"), text)


def functions(text):
    """(name, first line, number of lines) of each function that has a body; lambdas belong to the function around them."""
    code = blank(text)
    found, open_braces, begin = [], [], 0
    for at, char in enumerate(code):
        if char == "{":
            inside_function = any(kind == "function" for kind, _, _ in open_braces)
            head = code[begin:at]
            kind = "inner" if inside_function else kind_of(head)
            start = begin + len(head) - len(head.lstrip())
            open_braces.append((kind, start, head))
            begin = at + 1
        elif char == "}":
            if not open_braces:
                raise ValueError(f"line {code.count(chr(10), 0, at) + 1}: a brace closes that nothing opened")
            kind, start, head = open_braces.pop()
            if kind == "function":
                first, last = (code.count("\n", 0, place) + 1 for place in (start, at))
                found.append((name_of(head), first, last - first + 1))
            if kind != "value":
                begin = at + 1
        elif char == ";":
            begin = at + 1
    return found


def kind_of(head):
    without_arguments = re.sub(r"<[^<>;{}]*>", "", head)
    if CONTAINER.search(without_arguments) and not re.search(r"\)\s*(const|noexcept|override)*\s*$", without_arguments):
        return "container"
    # A function's head has its parameters; a variable's has '=' or ends with its name: int ends[2]{...}
    outside = re.sub(r"\([^()]*\)", "()", head)
    while outside != (outside := re.sub(r"\([^()]*\(\)[^()]*\)", "()", outside)):
        pass
    is_function = "()" in outside and not re.search(r"[^=!<>]=[^=]", outside.replace("operator=", ""))
    return "function" if is_function else "value"


def name_of(head):
    match = re.search(r"([~\w:]+|operator\W+)\s*\(", head)
    return match.group(1) if match else head.strip()
