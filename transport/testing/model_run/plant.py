#!/usr/bin/env python3
"""Plants bugs in copies of the shared-memory transport's sources.

usage: plant.py BUGS PACKAGE OUT_DIRECTORY COPIED,... -- SOURCE...

BUGS is text. A bug is a line "== name in Scenario: what is wrong", then edits of the form

    --
    text that is there
    ++
    text in its place, where PLANTED is true when the bug is chosen

The text, without the blanks around it, must occur exactly once in all sources, and in one that is copied: a bug that
cannot be planted any more stops the build. All bugs are planted in the same copies; which one is there is chosen when
the program runs.

Copies include each other: "transport/shm/x.h" becomes "PACKAGE/planted/x.h". Also written: bugs.inc, one line {"name",
"Scenario", "what is wrong"} for each.
"""

import pathlib
import sys


def read_bugs(path):
    """[(name, scenario, sentence, [(old, new)])]"""
    bugs = []
    part = None
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith("== "):
            name, rest = line[3:].split(" in ", 1)
            scenario, sentence = rest.split(": ", 1)
            bugs.append((name, scenario, sentence, []))
            part = None
        elif line == "--":
            bugs[-1][3].append(([], []))
            part = 0
        elif line == "++":
            part = 1
        elif part is not None:
            bugs[-1][3][-1][part].append(line)
    return bugs


def plant(bugs, texts, copied):
    for number, (name, _, _, edits) in enumerate(bugs):
        if not edits:
            sys.exit(f"{name} changes nothing")
        for old, new in edits:
            before = "\n".join(old).strip()
            after = "\n".join(new).strip().replace("PLANTED", f"::weir::testing::is_planted({number})")
            places = [file for file, text in texts.items() for _ in range(text.count(before))]
            if len(places) != 1:
                sys.exit(f"{name}: this is there {len(places)} times ({', '.join(places)}), not once:\n{before}")
            if places[0] not in copied:
                sys.exit(f"{name}: {places[0]} is changed and not among the copied files")
            texts[places[0]] = texts[places[0]].replace(before, after)


def check_includes(texts, copied):
    """A program must not see two versions of a header."""
    for file, text in texts.items():
        changed = [other for other in copied if f'#include "transport/shm/{other}"' in text]
        if changed and file.endswith(".h") and file not in copied:
            sys.exit(f"{file} includes {changed[0]}, which is copied, and is not copied itself")


def main(bugs_path, package, out, copied, sources):
    texts = {pathlib.Path(source).name: pathlib.Path(source).read_text() for source in sources}
    bugs = read_bugs(bugs_path)
    plant(bugs, texts, copied)
    check_includes(texts, copied)
    for file in copied:
        text = texts[file]
        for other in copied:
            text = text.replace(f'"transport/shm/{other}"', f'"{package}/planted/{other}"')
        pathlib.Path(out, file).write_text(text)
    lines = [f'{{"{name}", "{scenario}", "{sentence}"}},\n' for name, scenario, sentence, _ in bugs]
    pathlib.Path(out, "bugs.inc").write_text("".join(lines))


if __name__ == "__main__":
    separator = sys.argv.index("--")
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4].split(","), sys.argv[separator + 1 :])
