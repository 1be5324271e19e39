#!/usr/bin/env python3
"""Compares the verdicts of a run of the suite with those that docs/verdicts.md and README.md show.

    ./bazelw test //conformance/... --build_event_json_file=EVENTS
    conformance/report/verdict_pages.py EVENTS             says which rows differ
    conformance/report/verdict_pages.py EVENTS --rewrite   writes the pages anew

Bazel's folder of test logs would not do: what older runs left is there too, of tests that are no more.

Exit status 1 if a page says something else. A verdict is what the worst of a requirement's tests says.
"""

import argparse
import io
import json
import pathlib
import re
import sys
import urllib.parse
import urllib.request
import zipfile

TREE = pathlib.Path(__file__).resolve().parents[2]
BACKENDS = ["shm", "inproc", "iceoryx", "zeromq_envelope", "zeromq_raw"]
TITLES = ["`shm`", "`inproc`", "`iceoryx`", "`zmq`, envelope", "`zmq`, raw"]
MARKS = {"fail": "FAILS", "known deviation": "≈", "sometimes": "(≈)", "pass": "✓", "unsupported": "–"}
WORST_FIRST = ["fail", "known deviation", "sometimes", "pass", "unsupported"]
BEGIN, END = "<!-- verdicts -->", "<!-- end of verdicts -->"


def outputs(events, backend):
    """The lines of JSON that the tests of a backend left in that run, of all families and shards."""
    for event in map(json.loads, events.read_text().splitlines()):
        label = event["id"].get("testResult", {}).get("label", "")
        if not label.startswith(f"//conformance/backends:{backend}_"):
            continue
        for output in event.get("testResult", {}).get("testActionOutput", []):
            if output["name"] == "test.outputs__outputs.zip":
                with zipfile.ZipFile(urllib.request.url2pathname(urllib.parse.urlsplit(output["uri"]).path)) as content:
                    if "verdicts.jsonl" in content.namelist():
                        yield from io.TextIOWrapper(content.open("verdicts.jsonl"), "utf-8")


def shown(backend):
    """What docs/verdicts.md says of each requirement now."""
    names = {mark: verdict for verdict, mark in MARKS.items()}
    rows = re.findall(r"^\| ([A-Z]+-\d+) \|.*?((?: \| [^|]*){%d}) \|$" % len(BACKENDS), (TREE / "docs" / "verdicts.md").read_text(), re.M)
    marks = {name: cells.split("|")[1 + BACKENDS.index(backend)].strip() for name, cells in rows}
    return {name: names[mark] for name, mark in marks.items() if mark in names}


def verdicts(events, backend):
    """The worst verdict of each requirement; where this machine did not allow a test, what the page says counts too."""
    worst = {}
    before = shown(backend)
    for line in map(json.loads, outputs(events, backend)):
        verdict = line["verdict"]
        if line["backend"] != backend:
            continue
        if verdict == "inconclusive":
            for requirement in set(line["requirements"]) & before.keys():
                worst[requirement] = min(worst.get(requirement, before[requirement]), before[requirement], key=WORST_FIRST.index)
            continue
        if line["declared_may_fail"] and verdict in ("pass", "known deviation"):
            verdict = "sometimes"
        for requirement in line["requirements"]:
            known = worst.get(requirement, verdict)
            worst[requirement] = min(known, verdict, key=WORST_FIRST.index)
    return worst


def requirements():
    """(family, id, level, sentence), in their order."""
    family = ""
    for line in (TREE / "conformance" / "REQUIREMENTS.md").read_text().splitlines():
        if line.startswith("## "):
            family = line[3:]
        elif row := re.match(r"\| ([A-Z]+-\d+) \| (\w+) \| (.*) \|$", line):
            yield (family, *row.groups())


def row(cells):
    return "| " + " | ".join(cells) + " |\n"


def head(*first):
    return row([*first, *TITLES]) + row(["---"] * (len(first) + len(TITLES)))


def counts(found, ids):
    marks = [MARKS[found[one]] for one in ids if one in found]
    if not marks or set(marks) == {"–"}:
        return "–"
    return ", ".join(f"{marks.count(mark)} {mark}" for mark in ("✓", "≈", "(≈)", "FAILS") if mark in marks)


def pages(found):
    families = {}
    for family, name, level, sentence in requirements():
        families.setdefault(family, []).append((name, level, sentence))
    summary = head("requirements on")
    details = ""
    for family, rows in families.items():
        title = family.split(": ", 1)[1]
        summary += row([title, *(counts(found[one], [name for name, _, _ in rows]) for one in BACKENDS)])
        details += f"\n## {family}\n\n" + head("", "", "")
        for name, level, sentence in rows:
            details += row([name, level, sentence, *(MARKS[found[one][name]] if name in found[one] else " " for one in BACKENDS)])
    legend = ("✓ kept · ≈ not kept, as declared in [conformance/backends]({0}conformance/backends), where the reasons are · (≈) not kept now "
              "and then, as declared there · – not promised, and refused.")
    return summary + "\n" + legend.format(""), summary + "\n" + legend.format("../") + "\n" + details


def compared(path, text, rewrite):
    """Whether the page has the text between its marks; else it is put there, or told."""
    page = path.read_text()
    begin, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    shown = page[begin:end].strip("\n")
    if shown == text.strip("\n"):
        return True
    if rewrite:
        path.write_text(page[:begin] + "\n" + text.strip("\n") + "\n" + page[end:])
        return True
    was = set(shown.splitlines())
    for line in text.splitlines():
        if line not in was:
            print(f"{path.name} does not say: {line}")
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("events", type=pathlib.Path)
    parser.add_argument("--rewrite", action="store_true")
    options = parser.parse_args()
    found = {backend: verdicts(options.events, backend) for backend in BACKENDS}
    missing = [backend for backend, some in found.items() if not some]
    if missing:
        sys.exit(f"no verdicts of {', '.join(missing)} in {options.events}: it must be of ./bazelw test //conformance/...")
    readme, details = pages(found)
    good = compared(TREE / "README.md", readme, options.rewrite)
    good = compared(TREE / "docs" / "verdicts.md", details, options.rewrite) and good
    if not good:
        sys.exit("the pages are out of date: conformance/report/verdict_pages.py EVENTS --rewrite")


if __name__ == "__main__":
    main()
