"""Finds the commands that pages show.

A command is a block (fenced as `sh`, fenced without a language, or indented) whose first line begins with a program, and
code between backquotes that begins with a program and has an argument, is a file that can be run, or sets variables of the
environment and nothing else. An option (`--rate`) is taken for a command too. What an empty line parts are several commands, and so are lines that all begin with `./`.
"""

import dataclasses
import itertools
import pathlib
import re
import shlex
import shutil

OURS = {"weir", "weir-bridge"}
BUILTINS = {"cd", "export", "for", "if", "kill", "source", "ulimit", "unset", "until", "while"}
SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"
FENCE = re.compile(r"^```(\S*)")
CODE = re.compile(r"(`+)(.+?)\1(?!`)")
SETTING = re.compile(r"^[A-Z][A-Z0-9_]*=\S+$")
OPTION = re.compile(r"^--[a-z]")
FILE = re.compile(r"^(\.\.?/[\w./-]+|\.ci/\w+|[\w./-]+/[\w-]+\.(py|sh))$")


@dataclasses.dataclass(frozen=True)
class Command:
    page: str
    line: int
    text: str
    around: str = ""  # the line of the page, with the other cells of its row, for what stands within a line

    @property
    def place(self):
        return f"{self.page}:{self.line}"

    @property
    def words(self):
        """Of its first line that is no comment, without the variables that are set for it alone."""
        first = next(line for line in self.text.splitlines() if not line.lstrip().startswith("#"))
        return list(itertools.dropwhile(SETTING.match, words_of(first)))


def words_of(text):
    try:
        return shlex.split(text.removesuffix("\\"), comments=True)
    except ValueError:
        return text.split()


def is_program(word):
    if word in OURS or word in BUILTINS or FILE.match(word):
        return True
    return bool(re.fullmatch(r"[a-z][\w.+-]*", word)) and shutil.which(word, path=SYSTEM) is not None


def is_command(text, in_block):
    words = words_of(text)
    rest = list(itertools.dropwhile(SETTING.match, words))
    if not rest:
        return bool(words)
    if OPTION.match(rest[0]):
        return not in_block
    return is_program(rest[0]) and (in_block or len(rest) > 1 or len(words) > len(rest) or "/" in rest[0])


def commands_of_block(page, lines, forced):
    """`lines` are (number, text), without an empty one."""
    shown = [text for _, text in lines if not text.lstrip().startswith("#")]
    if not forced and not (shown and is_command(shown[0], True)):
        hidden = [text for text in shown if is_command(text, True)]
        if hidden:
            raise SystemExit(f"{page}:{lines[0][0]}: \"{hidden[0]}\" is not at the beginning of its block: part it from the rest")
        return
    whole = []
    for number, text in lines:
        if whole and whole[-1][1].endswith("\\"):
            whole[-1] = (whole[-1][0], whole[-1][1] + "\n" + text)
        else:
            whole.append((number, text))
    if all(text.startswith("./") for _, text in whole):
        yield from (Command(page, number, text) for number, text in whole)
    else:
        yield Command(page, lines[0][0], "\n".join(text for _, text in lines))


def commands(page, root):
    """All of a page, which is named from the root of the checkout, in their order."""
    fence, block = None, []
    for number, line in enumerate((root / page).read_text().splitlines() + ["end"], 1):
        mark = FENCE.match(line)
        in_block = not mark and (fence in ("", "sh") or (fence is None and line.startswith("    ")))
        if in_block and line.strip():
            block.append((number, line if fence is not None else line[4:]))
            continue
        if block:
            yield from commands_of_block(page, block, fence == "sh")
            block = []
        if mark:
            fence = mark[1] if fence is None else None
        elif fence is None:
            if line.count("`") % 2:
                raise SystemExit(f"{page}:{number}: code goes on behind the end of the line, where a command would not be found")
            for code in CODE.finditer(line):
                if is_command(code[2].strip(), False):
                    yield Command(page, number, code[2].strip(), line)


def all_pages(root):
    return ["README.md"] + sorted(str(page.relative_to(root)) for page in pathlib.Path(root / "docs").rglob("*.md"))
