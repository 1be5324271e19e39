"""How the commands of `weir` and `weir-bridge` are run, and what they must do then."""

import json
import re
import signal

from rules import does
from scene import require

CAMERA = "camera/front"


@does("weir list")
def weir_list(command, scene):
    scene.stream(CAMERA)
    printed = scene.run(command.text)
    require(re.search(rf"^{CAMERA} +1 +0", printed, re.M), f"{CAMERA} is not listed with its publisher:\n{printed}")


@does("weir info")
def weir_info(command, scene):
    scene.stream(CAMERA)
    printed = scene.run(command.text, TOPIC=CAMERA)
    require(re.search(r"^publisher", printed, re.M | re.I), f"it does not tell of the publisher:\n{printed}")


@does("weir top")
def weir_top(command, scene):
    scene.stream(CAMERA)
    if "|" in command.text:
        require(len(scene.run(command.text).splitlines()) == 1, "more than one line")
        return
    top = scene.start("exec " + command.text)
    top.sees(rf"^{CAMERA} +1 +0 +[1-9][\d.k]* ")  # in the second table, if not in the first
    top.interrupt()


@does("weir echo")
def weir_echo(command, scene):
    topic = CAMERA if "TOPIC" in command.text else "camera"
    scene.stream(f"shm://{topic}?grant=block" if "lossless" in command.text else topic)
    echo = scene.start("exec " + command.text, TOPIC=topic)
    for word in ("one", "two", "three"):
        echo.sees(rf"\b{word}$")
    echo.interrupt()


@does("weir pub")
def weir_pub(command, scene):
    echo = scene.start(f"exec weir echo {CAMERA} --wait --text --count 2")
    scene.run(command.text + " --wait-for 1", **{"TOPIC": CAMERA, "[MESSAGE…]": "hello 'to you'"})
    require("hello\nto you\n" in (heard := echo.ends()), f"other messages came:\n{heard}")


@does("weir hz", "weir bw")
def weir_hz(command, scene):
    topic = f" {CAMERA}" if "TOPIC" not in command.text and len(command.words) == 2 else ""
    scene.stream(CAMERA)
    meter = scene.start(f"exec {command.text}{topic}", TOPIC=CAMERA)
    meter.sees(r"^[1-9]\d*/s, apart " if "hz" in command.words else r"^[1-9][\d.]*k? B/s in ")
    meter.interrupt()


def recorded(scene):
    return json.loads(scene.run("weir --json replay --describe recording").splitlines()[-1])["messages"]


@does("weir record")
def weir_record(command, scene):
    """Killed, and continued, as the page says."""
    scene.stream(CAMERA)
    scene.stream("camera/rear")
    before = 0
    for text in (command.text, command.text + ("" if "--append" in command.text else " --append")):
        recorder = scene.start("exec " + text, **{"TOPIC…": f"{CAMERA} camera/rear", "TOPIC": CAMERA, "FILE": "recording"})
        recorder.sees("recording to")
        scene.until(lambda: recorded(scene) > before, "nothing more comes into the file")
        recorder.kill()
        after = recorded(scene)
        require(after > before, f"of {before} messages in the file, {after} are left by a recorder that was killed")
        before = after
    last = scene.start(f"exec weir record {CAMERA} -o recording --append")
    last.sees("recording to")
    last.interrupt()


@does("weir replay")
def weir_replay(command, scene):
    publisher = scene.stream(CAMERA)
    scene.run(f"weir record {CAMERA} -o recording --count 3")
    publisher.interrupt()
    echo = scene.start(f"exec weir echo {CAMERA} --wait --text --count 3")
    scene.run(command.text + " --wait-for 1", FILE="recording")
    heard = echo.ends().splitlines()[-3:]
    require(sorted(heard) == ["one", "three", "two"], f"other messages came than were recorded: {heard}")


@does("weir bridge")
def weir_bridge(command, scene):
    scene.stream(CAMERA)
    bridge = scene.start("exec " + command.text, FROM=f"shm://{CAMERA}", TO="'shm://remote/front'")
    scene.run("weir echo remote/front --wait --count 3")
    bridge.interrupt()


@does("weir remove")
def weir_remove(command, scene):
    scene.run(f"weir pub 'shm://{CAMERA}?durability=persistent&name=me' stays")
    require(CAMERA in scene.run("weir list"), "a persistent topic has not stayed")
    scene.run(command.text, TOPIC=CAMERA)
    require(CAMERA not in scene.run("weir list"), "it is there still")


@does("weir clean")
def weir_clean(command, scene):
    scene.stream(CAMERA).kill()
    require(CAMERA in scene.run(f"{command.text} --dry-run"), "--dry-run does not name what a dead process left")
    scene.run(command.text)
    require(not list(scene.root.glob("v1/*camera*")), "what a dead process left is there still")


@does("weir doctor")
def weir_doctor(command, scene):
    printed = scene.run(command.text, 0, 1)
    findings = re.findall(r"^(ok|warning|problem) ", printed, re.M)
    require("ok" in findings, f"nothing is found right:\n{printed}")
    scene.run(command.text, 1 if "problem" in findings else 0)


@does("weir bench")
def weir_bench(command, scene):
    printed = scene.run(command.text)
    require(re.search(r"\d ?(ns|µs|us)", printed), f"no time:\n{printed}")


# ---- weir-bridge ----


@does("weir-bridge --route")
def bridge_routes(command, scene):
    """Each route of the command carries messages from end to end."""
    routes = re.findall(r"--route '?([^ ']+)'? '?([^ ']+)'?", command.text)
    with scene.stage.lock("RouDi"):  # one /tmp, so one RouDi and one socket of a name
        if "iceoryx://" in command.text:
            scene.roudi()
        ends = [[end.replace("*", "front") if "tcp" not in end else end for end in route] for route in routes]
        bridge = scene.start("exec " + command.text)
        for _ in routes:
            bridge.sees("^carrying ")
        for source, target in ends:
            source, target = source.replace("camera-host", "*"), target.split("?")[0]
            publisher = scene.start(f"exec weir pub '{source}' --rate 200 -n 1000000000 one two three")
            scene.run(f"weir echo '{target}' --wait --count 3")
            publisher.send(signal.SIGINT)
            publisher.ends()
        bridge.send(signal.SIGUSR1)
        for _ in routes:
            bridge.sees(r" -> .*: carried [1-9]\d* messages")
        require(bridge.interrupt().count("carried") >= 2 * len(routes), "it does not say at its end what it carried")


@does("weir-bridge FROM ->")
def name_of_a_claim(command, scene):
    """No command, but the name of a topic, which is to be listed."""
    bridge = scene.start("exec weir-bridge --route shm://a shm://b")
    bridge.sees("^carrying")
    name = command.text.replace("FROM", "shm://a").replace("TO", "shm://b")
    require(name in scene.run("weir list"), f"\"{name}\" is not listed")
    bridge.interrupt()
