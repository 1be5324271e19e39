"""Options that a page names beside its commands: the program that the page is about must have them, by its --help."""

import re

from rules import does
from scene import require

JUDGE = "./bazelw run //conformance:judge -- --help"
INSTALL = "./bazelw run //:install -- --help"
PROGRAMS = {
    "docs/bridge.md": ["weir-bridge --help"],
    "docs/conformance.md": [JUDGE],
    "docs/getting-started.md": [INSTALL],
    "docs/operations.md": [INSTALL],
    "docs/performance.md": ["./bazelw run //conformance/performance:benchmark -- --help"],
    "docs/writing-a-backend.md": [JUDGE],
}


# What each program has printed: most options share theirs with others. (Two scenes may ask at once, and get the same.)
printed = {}


def help_of(program, scene):
    if program not in printed:
        printed[program] = scene.run(program)
    return printed[program]


def programs(command, scene):
    if command.page != "docs/command-line.md":
        return PROGRAMS.get(command.page, [])
    # In a row the option is its command's; in a sentence any command's.
    named = re.findall(r"`weir ([a-z]+)", command.around) if command.around.startswith("|") else []
    return ["weir --help"] + [f"weir {name} --help" for name in named or re.findall(r"^  ([a-z]+)  ", help_of("weir --help", scene), re.M)]


@does("option")
def option(command, scene):
    asked = programs(command, scene)
    require(asked, f"nobody has said whose option it is: name the program in {__name__}.py")
    name = command.text.split()[0].split("=")[0]
    helps = [help_of(program, scene) for program in asked]
    require(any(re.search(rf"{name}\b(?!-)", text) for text in helps), f"{' and '.join(asked)} do not know {name}")
