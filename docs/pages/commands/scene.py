"""Where a command is run: a home and a root of its own, with what is installed in front of its PATH.

A watchdog ends what hangs. Whatever is still there when the scene is left is killed.
"""

import contextlib
import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

PATIENCE = 300  # seconds; reached by what hangs alone
ANY = ("any status",)
LEFT_OPEN = re.compile(r"…|\[[A-Z]+|\b(TOPIC|FILE|FROM|TO|DIR|NAME|MESSAGE)\b|/path\b")


class Failed(Exception):
    pass


def require(holds, what):
    if not holds:
        raise Failed(what)


class Program:
    """A line of the shell that goes on beside the test. What it prints on either stream is read."""

    def __init__(self, text, home, environment, stdin=subprocess.DEVNULL):
        self.text, self.printed, self.lines = text, "", queue.Queue()
        self.process = subprocess.Popen(["bash", "-c", "set -euo pipefail\n" + text], cwd=home, env=environment, stdin=stdin,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.decode(errors="replace"))
        self.lines.put(None)

    def next_line(self, deadline):
        try:
            line = self.lines.get(timeout=max(0, deadline - time.monotonic()))
        except queue.Empty:
            raise Failed(f"{self.text}\ngoes on and on; it has printed\n{self.printed[-4000:]}") from None
        self.printed += line or ""
        return line

    def sees(self, pattern):
        """Waits until a line that it prints has the pattern, and returns what was found."""
        deadline = time.monotonic() + PATIENCE
        while True:
            line = self.next_line(deadline)
            require(line is not None, f"{self.text}\nended without \"{pattern}\"; it printed\n{self.printed}")
            if match := re.search(pattern, line):
                return match

    def send(self, number):
        os.killpg(self.process.pid, number)

    def ends(self, *statuses):
        """Reads to the end; returns all that was printed. The status must be one of these, or 0."""
        deadline = time.monotonic() + PATIENCE
        while self.next_line(deadline) is not None:
            pass
        status = self.process.wait(PATIENCE)
        require(statuses == ANY or status in (statuses or (0,)), f"{self.text}\nended with {status}; it printed\n{self.printed}")
        return self.printed

    def interrupt(self):
        """As Ctrl-C does. It must end in order."""
        self.send(signal.SIGINT)
        return self.ends()

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.send(signal.SIGKILL)
        self.process.wait()
        self.reader.join()


class Scene:
    def __init__(self, stage):
        """`stage` has prefix (the installed tree), tree (the checkout's files), targets, and lock(name)."""
        self.stage, self.prefix, self.running = stage, stage.prefix, []
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="home."))
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="root.", dir="/dev/shm"))
        (self.home / "bazelw").symlink_to(stage.here / "bazelw")
        self.environment = {
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "LD_LIBRARY_PATH": str(self.prefix / "lib"),
            "PATH": f"{self.prefix}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "PKG_CONFIG_PATH": str(self.prefix / "lib/pkgconfig"),
            "TEST_TMPDIR": str(self.home),
            "TMPDIR": str(self.home),
            "WEIR_MODEL_OPTIMIZE": "-O0",  # small ones are done sooner
            "WEIR_ROOT": str(self.root),
            "WEIR_TARGETS": str(stage.targets),
            "WEIR_TREE": str(stage.tree),
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in reversed(self.running):
            program.kill()
        shutil.rmtree(self.home)
        shutil.rmtree(self.root)

    def start(self, text, **words):
        """Starts a command, with what stands for something else in it replaced: TOPIC="camera"."""
        # The ones that are longer first: of "$PWD/libtheirs.so" and "$PWD" the former.
        for word in sorted(words, key=len, reverse=True):
            text = text.replace(word, str(words[word]))
        left = LEFT_OPEN.search(text)
        require(not left, f"{text}\nnobody has said what \"{left and left[0]}\" is to be")
        self.running.append(Program(text, self.home, self.environment))
        return self.running[-1]

    def run(self, text, *statuses, **words):
        return self.start(text, **words).ends(*statuses)

    def until(self, holds, otherwise):
        """Asks again and again."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            require(time.monotonic() < deadline, otherwise)

    def roudi(self):
        """Starts the daemon of iceoryx and waits until it answers. Hold the lock "RouDi" meanwhile."""
        # It takes nobody for dead, which a machine without a processor to spare would be.
        roudi = self.start("exec iox-roudi --monitoring-mode off")
        roudi.sees("RouDi is ready for clients")
        return roudi

    def stream(self, topic="camera/front", *options):
        """A publisher that goes on and on, and is known to be there."""
        publisher = self.start(f"exec weir pub '{topic}' --rate 200 -n 1000000000 {' '.join(options)} one two three")
        self.run(f"weir echo '{topic}' --wait --count 1")
        return publisher
