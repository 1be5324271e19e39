#!/usr/bin/env python3
"""Takes the C++ out of a page, so that it can be compiled.

    snippets.py PAGE FRAME DIRECTORY

The first C++ block of the page becomes DIRECTORY/1.inc, the next 2.inc, and so on. FRAME is a source file that includes
each where its names mean something; one that it does not include is an error.
"""

import pathlib
import re
import sys

sys.dont_write_bytecode = True  # nothing beside the sources
from run_page import blocks  # noqa: E402


def main():
    page, frame, directory = map(pathlib.Path, sys.argv[1:])
    written = set()
    for line, _, language, _, text in blocks(page):
        if language == "cpp":
            name = f"{len(written) + 1}.inc"
            written.add(name)
            # Messages of the compiler name the page.
            (directory / name).write_text(f'#line {line + 1} "{page}"\n{text}')
    included = set(re.findall(r'#include "(\d+\.inc)"', frame.read_text()))
    if written != included or not written:
        sys.exit(f"{page} has the C++ blocks {sorted(written)}, {frame} includes {sorted(included)}")


if __name__ == "__main__":
    main()
