#!/usr/bin/env python3
"""Writes compile_commands.json of the repository, for clang-tidy and for editors.

The commands are the ones that Bazel would run (its action query knows them), so the
compiler's options are stated in one place, .bazelrc. Warning options are left out:
they are GCC's, the build checks them, and .clang-tidy says what clang-tidy checks.

    tools/lint/compile_commands.py            writes compile_commands.json in the root
    tools/lint/compile_commands.py --out F    writes F
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Options that clang does not know.
GCC_ONLY = {"-fno-canonical-system-headers"}
# The toolchain's own choices that .bazelrc overrides or that clang warns about.
REDUNDANT = {"-MD", "-std=c++0x"}
REDUNDANT_PREFIXES = ("-W", "--param=", "-frandom-seed=", "-D__DATE__=", "-D__TIME__=", "-D__TIMESTAMP__=")
# Options of the output file, each followed by its value.
OUTPUT_OPTIONS = {"-MF", "-o"}


# Headers compiled once, by GCC for GCC (third_party/precompiled.bzl): sources include what they need themselves.
PRECOMPILED = "third_party/"


def for_clang(arguments):
    """The compiler's arguments without output files, warnings and GCC's own options."""
    kept = ["clang++"]
    rest = iter(arguments[1:])
    for argument in rest:
        if argument in OUTPUT_OPTIONS:
            next(rest)
        elif argument == "-include":
            included = next(rest)
            if not included.startswith(PRECOMPILED):
                kept += [argument, included]
        elif argument not in GCC_ONLY | REDUNDANT and not argument.startswith(REDUNDANT_PREFIXES):
            kept.append(argument)
    return kept


def main():
    parser = argparse.ArgumentParser(description="Writes a compile database from Bazel's action graph.")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "compile_commands.json")
    out = parser.parse_args().out

    query = [str(ROOT / "bazelw"), "aquery", "--config=separate_units", "--output=jsonproto", "--ui_event_filters=-info",
             "--noshow_progress", 'mnemonic("CppCompile", //...)']
    answer = subprocess.run(query, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    if answer.returncode != 0:
        sys.exit(f"compile_commands.py: {' '.join(query)} failed")

    # Generated headers lie in Bazel's output directory, which no link in the root shows.
    outputs = subprocess.run([str(ROOT / "bazelw"), "info", "output_path"], cwd=ROOT, stdout=subprocess.PIPE,
                             check=True, text=True).stdout.strip() + "/"

    commands = {}
    for action in json.loads(answer.stdout).get("actions", []):
        arguments = action["arguments"]
        source = arguments[arguments.index("-c") + 1]
        # What generators wrote is not ours to judge.
        if (ROOT / source).exists() and not source.startswith(("external/", "bazel-out/")):
            command = [argument.replace("bazel-out/", outputs, 1) for argument in for_clang(arguments)]
            # Of a source that is compiled in several ways (for the model run, say) the plain one.
            if source not in commands or len(command) < len(commands[source]):
                commands[source] = command
    database = [{"directory": str(ROOT), "file": source, "arguments": arguments}
                for source, arguments in sorted(commands.items())]
    out.write_text(json.dumps(database, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
