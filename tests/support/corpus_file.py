"""The statements of tests/support/corpus: units parted by blank lines, each sent as one, with remarks on how in lines `--@ ...`:

    --@ only simple        left out of the other protocol (extended)
    --@ bind 1 {null} abc  parameters of the extended protocol, parted by blanks; {null} is NULL, {space} a blank
    --@ rows 2             Execute takes so many rows at a time, until there are no more
    --@ binary             results in binary
    --@ name p1            a named statement; without text it is the one parsed before
    --@ portal c1          a named portal
    --@ copy 1|one         one line of data for COPY FROM STDIN
    --@ fail tired         the COPY ends in CopyFail
"""
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"


@dataclass
class Unit:
    text: str = ""
    only: str = ""
    binds: list = field(default_factory=list)
    rows: int = 0
    is_binary: bool = False
    name: str = ""
    portal: str = ""
    copy: list = field(default_factory=list)
    fail: str = ""
    is_parsed_before: bool = False


def bind_value(word):
    return None if word == "{null}" else word.replace("{space}", " ").encode()


def add_remark(unit, remark):
    word, _, rest = remark.partition(" ")
    match word:
        case "only":
            unit.only = rest
        case "bind":
            unit.binds = [bind_value(value) for value in rest.split()]
        case "rows":
            unit.rows = int(rest)
        case "binary":
            unit.is_binary = True
        case "name":
            unit.name = rest
        case "portal":
            unit.portal = rest
        case "copy":
            unit.copy.append(rest.encode().decode("unicode_escape").encode("latin-1") + b"\n")
        case "fail":
            unit.fail = rest
        case _:
            raise ValueError(f"no such remark: {remark}")


def read_unit(paragraph):
    unit, lines = Unit(), []
    for line in paragraph.split("\n"):
        if line.startswith("--@ "):
            add_remark(unit, line[4:])
        else:
            lines.append(line)
    unit.text = "\n".join(lines)
    unit.is_parsed_before = bool(unit.name) and not unit.text
    return unit


def read_corpus(name, protocol):
    """The units of one file that are for 'simple' or 'extended'."""
    paragraphs = (FOLDER / f"{name}.sql").read_text().strip("\n").split("\n\n")
    units = [read_unit(paragraph.strip("\n")) for paragraph in paragraphs]
    other = {"simple": "extended", "extended": "simple"}[protocol]
    return [unit for unit in units if unit.only != other]


def corpus_names():
    return sorted(path.stem for path in FOLDER.glob("*.sql"))
