#!/usr/bin/env python3
"""Does what a page of the documentation tells its reader to do, from its first line to its last.

    run_page.py PAGE [--without HEADING]... [--only HEADING]... [--only-files]

A block that is fenced as `sh` is run by bash in the current directory, the next one where that one ended and with the
variables that it exported. A block with the name of a file behind its language, as ```cpp publisher.cc, is written to
that file. A block of plain `text` is what the command before it must print. --without leaves the sections of that
heading out, --only takes of the page only that section's commands; files are written all the same, and with --only-files
nothing else is done.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^```(\S*) ?(.*)$")
# Prints nothing of its own, and keeps what the next block shall find.
SHELL = """
set -euo pipefail
{ [[ ! -f $1 ]] || source "$1"; } >/dev/null 2>&1
source "$2"
for job in $(jobs -p); do wait "$job"; done
{ export -p; printf 'cd %q\\n' "$PWD"; } >"$1"
"""


def blocks(page):
    """Yields (line, heading, language, name, text) of each fenced block."""
    heading, start = "", None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence = FENCE.match(line)
        if fence and start is None:
            start, language, name, lines = number, fence[1], fence[2], []
        elif fence:
            yield start, heading, language, name, "".join(each + "\n" for each in lines)
            start = None
        elif start is not None:
            lines.append(line)
        elif line.startswith("## "):
            heading = line[3:].strip()
    if start is not None:
        sys.exit(f"{page}:{start}: this block has no end")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--only-files", action="store_true")
    arguments = parser.parse_args()

    scratch = pathlib.Path(tempfile.mkdtemp())
    state, script = scratch / "state", scratch / "script"
    where = pathlib.Path.cwd()
    found, commands, printed = set(), 0, None
    for line, heading, language, name, text in blocks(arguments.page):
        found.add(heading)
        place = f"{arguments.page}:{line}"
        skipped = arguments.only_files or heading in arguments.without or (arguments.only and heading not in arguments.only)
        if name:
            (where / name).write_text(text)
        elif skipped:
            continue
        elif language == "sh":
            script.write_text(text)
            print(f"== {place}\n{text}", flush=True)
            run = subprocess.run(["bash", "-c", SHELL, "bash", state, script], stdout=subprocess.PIPE, text=True)
            print(run.stdout, flush=True)
            if run.returncode != 0:
                sys.exit(f"{place}: ended with {run.returncode}")
            where = pathlib.Path(
                subprocess.run(["bash", "-c", 'source "$1" >/dev/null 2>&1; pwd', "bash", state],
                               stdout=subprocess.PIPE, text=True, check=True).stdout.strip())
            printed, commands = run.stdout, commands + 1
        elif language == "text" and printed != text:
            sys.exit(f"{place}: it prints\n{printed}and not\n{text}")
    missing = set(arguments.without + arguments.only) - found
    if missing:
        sys.exit(f"{arguments.page}: no section {', '.join(sorted(missing))}")
    if not commands and not arguments.only_files:
        sys.exit(f"{arguments.page}: no command in it")
    print(f"{arguments.page}: {commands} commands")


if __name__ == "__main__":
    main()
