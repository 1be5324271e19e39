"""How commands of `bazelw` are run. What it would build is there already; ./bazelw stands for it (see that file).

Where a command would take minutes, `bounded` gives it fewer: by an option that its page, or its --help, says chooses how
much is done.
"""

import json
import re
import shutil

from rules import does
from scene import require


@does("./bazelw test", "./bazelw build")
def tests(command, scene):
    """Runs a test that this one has among its files; of others only the options are looked at."""
    printed = scene.run(command.text)
    if "--test_filter" in command.text or "--gtest_filter" in command.text:
        require(re.search(r"\[  PASSED  \] [1-9]", printed), f"the filter leaves no test:\n{printed[-2000:]}")
    if "WEIR_SCHEDULE" in command.text:
        require(len(printed.splitlines()) > 50, f"the schedule is not shown step by step:\n{printed}")


@does("./bazelw run //:install")
def install(command, scene):
    tree = scene.home / "tree"
    if "--uninstall" in command.text:
        scene.run(command.text.replace("--uninstall", ""), DIR=tree)
    scene.run(command.text, DIR=tree)
    there = (tree / "lib/libweir.so").exists() and (tree / "bin/weir").exists()
    require(there != ("--uninstall" in command.text), f"{tree} is not what it should be")
    require(there or not tree.exists() or not any(tree.iterdir()), f"something is left in {tree}")


@does("./bazelw run //examples:quickstart")
def quickstart(command, scene):
    printed = scene.run(command.text)
    require("All of it held." in printed, printed)
    require("slow died" in printed and printed.count(" ok ") >= 4, f"nobody is killed, or not every message is accounted for:\n{printed}")


@does("./bazelw run //examples/tour:clock")
def clock(command, scene):
    scene.start("exec " + command.text)
    echo = scene.start("exec weir echo tour/clock --wait --text")
    for _ in range(3):
        echo.sees(r"^tick \d+$")
    echo.interrupt()


@does("./bazelw run //examples/tour:watch")
def watch(command, scene):
    """It begins with the last five ticks, of which it was there for none."""
    scene.start("exec ./bazelw run //examples/tour:clock")
    scene.run("weir echo tour/clock --wait --count 8")
    here = int(re.search(r"tick (\d+)", scene.run("weir echo tour/clock --count 1"))[1])
    watching = scene.start("exec " + command.text)
    ticks = [int(watching.sees(r"^tick (\d+)  \(sequence \d+, lost 0\)$")[1]) for _ in range(6)]
    require(ticks == list(range(ticks[0], ticks[0] + 6)) and ticks[0] > 0, f"ticks {ticks} behind {here}")


@does("./bazelw run //tools/weir")
def tool(command, scene):
    scene.stream("camera/front")
    printed = scene.run(command.text)
    require(("camera/front" in printed) if command.text.endswith("list") else ("Usage" in printed), printed)


@does("./bazelw run //adapters/bridge:weir-bridge")
def bridge(command, scene):
    require("--route" in scene.run(command.text), "no help")


@does("./bazelw run //adapters/bridge:throughput")
def throughput(command, scene):
    printed = scene.run(command.text + " -- 1")
    require(len(re.findall(r"\d+ MiB/s", printed)) == 3, printed)


# ---- Measurements ----


@does("./bazelw run //conformance/performance:benchmark")
def benchmark(command, scene):
    """As short as its options allow. `--targets` ends with 1 where an aim is missed, as here it must be."""
    bounded = command.text + " --rounds 1 --seconds 0.001"
    if "--targets" not in command.text and "--quick" not in command.text:
        bounded += " --sizes 64 --loads latency,memory --peers shm,pipe"
    with scene.stage.lock("RouDi"):
        printed = scene.run(bounded, 0, 1)
    if "--targets" in command.text:
        require(re.search(r"\b(met|missed)\b", printed), f"no target is judged:\n{printed}")
    for option in ("html", "json"):
        if f"--{option}" in command.text:
            require("shm" in (scene.home / f"performance.{option}").read_text(), f"no figures in the {option}")
    require("cache line" in printed or "--targets" in command.text, f"no floor beside it:\n{printed}")


# ---- The suite ----


def no_failure(verdicts):
    counted = json.loads(verdicts.read_text())
    require("pass" in json.dumps(counted) and '"fail"' not in json.dumps(counted), f"{verdicts.name}: {counted}")


@does("./bazelw run //conformance:judge")
def judge(command, scene):
    """Of somebody's library: our own, under the name and the scheme that the page gives it."""
    if command.text.endswith("--help"):
        require("--plugin" in scene.run(command.text), "no help")
        return
    library = scene.stage.target("//transport/shm:libweir_shm.so")
    shutil.copy(library, scene.home / "libtheirs.so")
    scene.run(command.text + " --only ORD-1 --json $PWD/verdicts.json", **{"theirs://": "shm://"})
    no_failure(scene.home / "verdicts.json")


@does("./bazelw run //conformance/backends:shm_judge")
def linked_judge(command, scene):
    scene.run(command.text + " -- --only ORD-1 --json $PWD/verdicts.json")
    no_failure(scene.home / "verdicts.json")


@does("./bazelw run //conformance:report")
def report(command, scene):
    with scene.stage.lock("RouDi"):
        scene.run(command.text + " --only DATA-1", DIR="verdicts")
    files = list((scene.home / "verdicts").glob("*.json"))
    require(len(files) == 5 and (scene.home / "verdicts/conformance.html").exists(), f"{files}")
    for file in files:
        no_failure(file)
