"""How commands that are not weir's are run: the shell's and the system's, and native applications before which the plug-in
for ZeroMQ is put."""

import re
import shutil
import signal

from rules import does
from scene import ANY, require

PLUG_IN = "libweir_zmq.so"


def native_applications(scene):
    for name in ("pub.py", "sub.py", "program.c"):
        shutil.copy(scene.stage.here / "applications" / name, scene.home)


def words_for(scene):
    return {f"/path/to/{PLUG_IN}": scene.prefix / "lib" / PLUG_IN, "-L…": f"-L{scene.prefix}/lib"}


def goes_through_shared_memory(scene, topic):
    require(topic in scene.run("weir list"), f"no topic {topic}: the messages went another way")


@does("python3 sub.py", "python3 pub.py")
def one_of_two_terminals(command, scene):
    """The one on the page, and the other with the same words beside it."""
    native_applications(scene)
    other = {"sub": "pub", "pub": "sub"}[re.search(r"(sub|pub)\.py", command.text)[1]]
    started = {}
    for name, text in (("it", command.text), (other, re.sub(r"(sub|pub)\.py", f"{other}.py", command.text))):
        started[name] = scene.start("exec env " + text, **words_for(scene))
    subscriber, publisher = (started["it"], started["pub"]) if other == "pub" else (started["sub"], started["it"])
    subscriber.sees("received 100")
    goes_through_shared_memory(scene, "feed")
    publisher.send(signal.SIGTERM)
    subscriber.ends()


@does("export")
def unchanged_applications(command, scene):
    native_applications(scene)
    with scene.stage.lock("ipc:///tmp/feed"):
        both = scene.start(command.text, **words_for(scene))
        both.sees("received 100, lost 0")
        goes_through_shared_memory(scene, "ipc:/tmp/feed")
        both.send(signal.SIGTERM)


@does("settings LD_PRELOAD", "settings WEIR_ZMQ_IPC", "settings WEIR_ZMQ_PUB", "settings WEIR_ZMQ_RECEIVE", "settings WEIR_ZMQ_SEND",
      "settings WEIR_ZMQ_MEMORY", "settings WEIR_ZMQ_TCP")
def setting_of_the_plug_in(command, scene):
    """Applications under it exchange messages, by shared memory; with another value they do not begin."""
    native_applications(scene)
    preload = "" if "LD_PRELOAD" in command.text else f"LD_PRELOAD={PLUG_IN} "
    endpoint, topic = "shm://feed", "feed"
    if "WEIR_ZMQ_IPC" in command.text:
        endpoint, topic = "ipc:///tmp/feed", "ipc:/tmp/feed"
    elif "WEIR_ZMQ_TCP" in command.text:
        endpoint, topic = "tcp://127.0.0.1:5599", "5599"
    with scene.stage.lock(endpoint):
        subscriber = scene.start(f"exec env {preload}{command.text} python3 sub.py {endpoint}")
        publisher = scene.start(f"exec env {preload}{command.text} python3 pub.py {endpoint}")
        subscriber.sees("received 100")
        goes_through_shared_memory(scene, topic)
        publisher.send(signal.SIGTERM)
        subscriber.ends()
        name = re.search(r"WEIR_ZMQ_\w+", command.text)[0]
        refused = scene.start(f"exec env LD_PRELOAD={PLUG_IN} {name}=nonsense python3 sub.py {endpoint}")
        refused.sees(name)
        refused.ends(*ANY)
        require(refused.process.returncode != 0, f"{name}=nonsense is taken")


@does("cc program.c")
def linked_program(command, scene):
    native_applications(scene)
    scene.run(command.text, **words_for(scene))
    require(re.search(rf"NEEDED.*{PLUG_IN}(.|\n)*NEEDED.*libzmq", scene.run("readelf -d a.out")), "it is not linked before libzmq")
    publisher = scene.start("exec ./a.out shm://feed")
    scene.run("weir echo feed --wait --count 3")
    publisher.send(signal.SIGTERM)


@does("settings WEIR_ROOT")
def another_root(command, scene):
    elsewhere = scene.home / "elsewhere"
    elsewhere.mkdir()
    scene.run(command.text + " weir pub 'shm://stays?durability=persistent&name=me' message", **{"/path": elsewhere})
    require((elsewhere / "v1/stays").is_dir(), "the topic is not in it")


@does("install -d")
def shared_root(command, scene):
    """The group is one that the test has put into /etc/group."""
    with scene.stage.lock("robots"):
        topic = "shm://stays?durability=persistent&name=me"
        scene.run(command.text + f"\nweir pub '{topic}' message; stat -c %a \"$WEIR_ROOT\" \"$WEIR_ROOT/v1/stays\"; weir list")
        printed = scene.running[-1].printed
        require(printed.count("3770\n") == 2 and "stays" in printed, f"the root is not shared:\n{printed}")


@does("mount -o")
def larger(command, scene):
    with scene.stage.lock("/dev/shm"):
        before = scene.run("stat -f -c %b /dev/shm")
        scene.run(command.text)
        require(scene.run("stat -f -c %b /dev/shm") != before, "it is as large as it was")
        scene.run("mount -o remount,size=50% /dev/shm")  # as others found it


@does("ulimit")
def limit(command, scene):
    require(re.fullmatch(r"\d+|unlimited", scene.run(command.text).strip()), "no limit is said")


@does("protoc --include_imports")
def described(command, scene):
    """With what it writes, `weir echo` shows messages as JSON."""
    (scene.home / "robot.proto").write_text('syntax = "proto3"; package robot; message Pose { int32 x = 1; }\n')
    scene.run(command.text + " robot.proto", FILE="descriptor")
    scene.run(r"printf '\x08\x07' > message")
    echo = scene.start("exec weir echo pose --wait --count 1 --descriptor descriptor --message robot.Pose")
    scene.run("weir pub pose --file message --wait-for 1")
    require(re.search(r'"x": ?7', echo.ends()), "the message is not shown")


@does("pkg-config")
def package(command, scene):
    require(re.search(r"-lweir\b", scene.run(command.text)), "no -lweir")


@does("kill -9")
def killed_clock(command, scene):
    """What the tour says of its two programs when the clock is killed and started again."""
    watch = scene.start("exec ./bazelw run //examples/tour:watch")
    clock = scene.start("exec ./bazelw run //examples/tour:clock")
    number = int(watch.sees(r"tick (\d+)")[1])
    scene.run(f"{command.text} {clock.process.pid}")
    clock.process.wait()
    scene.start("exec ./bazelw run //examples/tour:clock")
    while (tick := int(watch.sees(r"tick (\d+) .*lost 0\)")[1])) != 0:
        require(tick == number + 1, f"after tick {number} comes tick {tick}")
        number = tick
    watch.sees(r"tick 1 ")


@does("./one.sh")
def one_check_of_a_model(command, scene):
    at = f"cd {scene.stage.tree}/docs/model && "
    trails = re.search(r"WEIR_MODEL_TRAILS=(\S+)", command.text)
    require("AS_EXPECTED" in scene.run(at + command.text), "the bug is not found")
    require(not trails or scene.run(f"ls {trails[1]}"), "no counterexample as a file")
