#!/usr/bin/python3
"""Runs every command that the pages show, taken out of them: //docs/pages:commands_test, in mounts of its own.

    commands_test.py LABEL=PROGRAM[ ARGUMENT]...      what Bazel has built

A command that no rule knows how to run, and that not_run.txt does not name, fails the test with its page and line; so does
a line of not_run.txt that no command needs any more. With WEIR_COMMANDS=PATTERN only those with the pattern in them are run.
"""

import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
import bazel_commands  # noqa: E402,F401  for its rules, as the others
import options  # noqa: E402,F401
import pages  # noqa: E402
import rules  # noqa: E402
import system_commands  # noqa: E402,F401
import weir_commands  # noqa: E402,F401
from scene import Failed, Scene  # noqa: E402

AT_ONCE = 3


class Stage:
    """What all scenes share."""

    def __init__(self, targets):
        self.here, self.tree = HERE, pathlib.Path.cwd()
        self.locks, self.guard = {}, threading.Lock()
        directory = pathlib.Path(tempfile.mkdtemp())
        self.programs = dict(target.split("=", 1) for target in targets)
        self.targets = directory / "targets"
        self.targets.write_text("".join(f"{label} {program}\n" for label, program in self.programs.items()))
        self.prefix = directory / "weir"
        subprocess.run([self.target("//:install"), "--prefix", self.prefix], check=True, stdout=subprocess.DEVNULL)

    def target(self, label):
        return self.tree / self.programs[label]

    def lock(self, name):
        """Of something that there is once: a RouDi, a socket's path."""
        with self.guard:
            return self.locks.setdefault(name, threading.Lock())


def not_run():
    """(pattern, reason) of each line."""
    for line in (HERE / "not_run.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern, reason = re.split(r"  +", line, maxsplit=1)
            yield pattern, reason


def run(stage, key, rule, command):
    begin = time.monotonic()
    try:
        with Scene(stage) as scene:
            rule(command, scene)
        fault = None
    except Failed as failed:
        fault = str(failed)
    except Exception:  # pylint: disable=broad-except
        fault = traceback.format_exc()
    return key, fault, time.monotonic() - begin


def main():
    # As the first process of its namespace, which its end takes along, it is sent no signal that it does not handle.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(1))
    stage = Stage(sys.argv[1:])
    chosen = os.environ.get("WEIR_COMMANDS", "")
    exempt, used = list(not_run()), set()
    wanted, faults, shown = {}, [], []
    for page in pages.all_pages(stage.tree):
        for command in pages.commands(page, stage.tree):
            whole = f"{command.page}: {command.text}"
            reasons = [(pattern, reason) for pattern, reason in exempt if re.fullmatch(pattern, whole, re.S)]
            rule = rules.rule_for(command)
            if reasons:
                used.add(reasons[0][0])
                shown.append(f"{command.place}: {command.text}\n    not run: {reasons[0][1]}")
            elif rule is None:
                faults.append(f"{command.place}: {command.text}\n    nobody has said how this is run: give it a rule in {HERE.name}/")
            elif chosen in command.text:
                wanted.setdefault((command.text, command.around if command.text.startswith("--") else ""), (rule, command, []))[2].append(command.place)
    faults += [f"not_run.txt: \"{pattern}\" is no command of a page" for pattern, _ in exempt if pattern not in used]

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        running = [pool.submit(run, stage, key, rule, command) for key, (rule, command, _) in wanted.items()]
        for done in concurrent.futures.as_completed(running):
            key, fault, seconds = done.result()
            text, place = key[0], ", ".join(wanted[key][2])
            print(f"{'FAILED' if fault else 'ran'} in {seconds:.1f} s: {place}: {text}", flush=True)
            if fault:
                faults.append(f"{place}: {text}\n{fault}")
    print("\n".join(shown))
    print(f"{len(wanted)} commands run, {len(shown)} not run, {len(faults)} failed")
    sys.exit("\n\n".join(["", *faults]) if faults or not wanted else 0)


if __name__ == "__main__":
    main()
