"""What the end-to-end tests and the benches share: a workspace, a hub, a display, and looking at them."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

PATIENCE_S = 30


def wait_for(condition, what, patience_s=PATIENCE_S):
    """Calls `condition` until it gives something true, and gives that back. `what` may be a call: what there is then."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {patience_s} s in vain: {what() if callable(what) else what}")


def process_gone(pid):
    """True when there is no such process, or only its zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def cpu_seconds(pid):
    """User and system time of a process with all its threads."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Workspace:
    """A bench's folder, gone when the block ends."""

    def __init__(self, program, spec=None):
        self.program = program
        self.spec = spec
        self.children = []

    def __enter__(self):
        self.root = tempfile.mkdtemp(prefix="labdeck-e2e-")
        if self.spec is not None:
            pathlib.Path(self.root, "labdeck.json").write_text(json.dumps(self.spec), encoding="utf-8")
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(10)
            if child.poll() is None:
                child.kill()
                child.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def socket_path(self):
        return self.root + "/.labdeck/labdeck.sock"

    def start(self, *words, env=None, **options):
        """Starts labdeck with these words on this workspace."""
        # What a hub keeps outside its workspace goes there too.
        homes = {"XDG_CONFIG_HOME": self.root + "/.config", "XDG_CACHE_HOME": self.root + "/.cache"}
        child = subprocess.Popen([self.program, *words, "--workspace", self.root], stdin=subprocess.DEVNULL,
                                 env={**os.environ, **homes, **(env or {})}, **options)
        self.children.append(child)
        return child

    def serve(self, *words):
        child = self.start("serve", *words, stderr=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(self.socket_path), "the hub's socket")
        return child

    def run_call(self, *words):
        return subprocess.run([self.program, "call", "--workspace", self.root, *words], capture_output=True,
                              text=True, timeout=PATIENCE_S, check=False)

    def call(self, method, **params):
        done = self.run_call(method, json.dumps(params))
        assert done.returncode == 0, f"{method} {params}: {done.stderr}"
        return json.loads(done.stdout)

    def wait_app(self, app, **wanted):
        """Waits until the app's status has these values."""
        def look():
            done = self.run_call("status.get", json.dumps({"appId": app}))
            if done.returncode != 0:
                return None
            status = json.loads(done.stdout)
            return status if all(status.get(key) == value for key, value in wanted.items()) else None
        return wait_for(look, f"{app} with {wanted}")

    def source(self, name):
        for row in self.call("source.list")["sources"]:
            if row["name"] == name:
                return row["sourceId"]
        return None

    def stats(self, name):
        return self.call("source.stats", sourceId=self.source(name))

    def connect(self):
        return Line(self.socket_path)


class Line:
    """A client of the hub's socket that can say anything."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_S)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def say(self, line):
        self.socket.sendall(line if isinstance(line, bytes) else line.encode())

    def hear(self):
        return json.loads(self.file.readline())

    def ask(self, line):
        self.say(line + b"\n" if isinstance(line, bytes) else line + "\n")
        return self.hear()


class Display:
    """An X server without a screen."""

    def __init__(self, size="1920x1080"):
        self.size = size

    def __enter__(self):
        read_end, write_end = os.pipe()
        self.folder = tempfile.mkdtemp(prefix="labdeck-display-")
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", self.size + "x24", "-nolisten", "tcp",
             "-fbdir", self.folder],
            pass_fds=[write_end], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write_end)
        with os.fdopen(read_end) as number:
            self.name = ":" + number.readline().strip()
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def rows(self):
        """What the screen shows now: its rows from the top, four bytes a pixel."""
        with open(self.folder + "/Xvfb_screen0", "rb") as file:
            dump = file.read()  # As in X11/XWDFile.h: words of 32 bits, the most significant byte first.
        head = struct.unpack(">25I", dump[:100])
        start, width, height, stride = head[0] + 12 * head[19], head[4], head[5], head[12]
        return [dump[start + y * stride:start + y * stride + 4 * width] for y in range(height)]

    @property
    def env(self):
        return {"DISPLAY": self.name}

    def xdotool(self, *words):
        return subprocess.run(["xdotool", *map(str, words)], env={**os.environ, **self.env}, check=True,
                              capture_output=True, text=True, timeout=PATIENCE_S).stdout

    def click(self, x, y):
        self.xdotool("mousemove", x, y)
        time.sleep(0.15)  # The window must have seen the pointer before the button.
        self.xdotool("mousedown", 1)
        time.sleep(0.1)
        self.xdotool("mouseup", 1)


class Console:
    """The window on a workspace, watched through its report."""

    def __init__(self, workspace, display, *words, report=True):
        self.report_path = workspace.root + "/report.json"
        self.display = display
        told = ("--report", self.report_path) if report else ()
        self.process = workspace.start("console", *told, "--fullscreen", *words,
                                       env={**display.env, "LIBGL_ALWAYS_SOFTWARE": "1"})

    def report(self):
        try:
            with open(self.report_path, encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return None

    def wait_report(self, look, what, patience_s=PATIENCE_S):
        def found():
            assert self.process.poll() is None, f"the console ended with {self.process.returncode}"
            report = self.report()
            return look(report) if report else None
        return wait_for(found, what, patience_s)

    def click(self, rect_id):
        """Clicks the middle of a named widget."""
        x0, y0, x1, y1 = self.wait_report(lambda r: r["rects"].get(rect_id), f"the widget {rect_id}")
        self.display.click(int((x0 + x1) / 2), int((y0 + y1) / 2))
