#!/usr/bin/env python3
"""fuzz_found.py PROGRAM SECONDS: runs one libFuzzer target from what was found before, and keeps what it finds.

What earlier runs found stands in tests/fuzz/found/TARGET, an input a line in base64, the fewest that reach all that was reached;
fuzz_replay takes them too. tests/fuzz/corpus holds the inputs that were made by hand, and those that broke something.
"""
import base64
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FUZZ = Path(__file__).resolve().parents[1] / "fuzz"
BYTES_MAX = 4096
LIMITS = ["-timeout=20", "-rss_limit_mb=3000", f"-max_len={BYTES_MAX}"]


def unpack(file, folder):
    lines = file.read_text().split() if file.exists() else []
    for number, line in enumerate(lines):
        (folder / str(number)).write_bytes(base64.b64decode(line))


def pack(folder, file):
    inputs = sorted(path.read_bytes() for path in folder.iterdir())
    file.write_text("".join(base64.b64encode(one).decode() + "\n" for one in inputs if 0 < len(one) <= BYTES_MAX))


def main(program, seconds):
    name = Path(program).name.removesuffix("_fuzz")
    made, file = FUZZ / "corpus" / name, FUZZ / "found" / name
    work = Path(tempfile.mkdtemp())
    try:
        found, fewest = work / "found", work / "fewest"
        found.mkdir()
        fewest.mkdir()
        unpack(file, found)
        ran = subprocess.run([program, f"-max_total_time={seconds}", *LIMITS, found, made])
        if ran.returncode != 0:
            return ran.returncode  # the input that did it was written to the working directory
        subprocess.run([program, "-set_cover_merge=1", *LIMITS, fewest, found], check=True)
        pack(fewest, file)
        return 0
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
