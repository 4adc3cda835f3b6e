#!/usr/bin/env python3
"""Scripts as people have them, over the hub's socket: supervise_test.py PATH-OF-LABDECK [unittest options].

Each test ends with no process of its scripts left, and with the hub's descriptors as they were before.
"""
import contextlib
import fcntl
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

from bench import Workspace, process_gone, wait_for

PROGRAM = ""
PROMPT_S = 1.0  # A call that is not held up takes milliseconds; a busy machine may need more.
MARK = "LABDECK_TEST_MARK"
NAME = "LABDECK_TEST_SCRIPT"
F_OFD_SETLK = 37  # Python 3.11 does not name it.

# In a session of its own, without a parent that lives, and no signal but KILL ends it.
DAEMON = """
import os, signal, sys, time
def daemon(stubborn=True):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            if stubborn:
                for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                    signal.signal(number, signal.SIG_IGN)
            print("daemon", flush=True)
            time.sleep(1000)
        os._exit(0)
    os.wait()
"""


def sh(body):
    return {"interpreter": "/bin/sh -c", "command": body}


def python(body):
    return {"interpreter": sys.executable + " -c", "command": "import os, signal, sys, time\n" + body}


class Bench(Workspace):
    """A hub that serves, a line to it, and the scripts that were given to it."""

    def __init__(self, spec=None):
        super().__init__(PROGRAM, spec)
        self.mark = uuid.uuid4().hex
        self.hub = self.line = None

    def __enter__(self):
        super().__enter__()
        self.up()
        return self

    def __exit__(self, kind, *what):
        try:
            if kind is None:
                self.settle()
        finally:
            with contextlib.suppress(OSError):
                self.line.__exit__()
            super().__exit__(kind, *what)

    def up(self):
        """Starts the hub, and waits until it answers."""
        self.hub = self.serve()

        def connected():
            with contextlib.suppress(OSError):
                return self.connect()
        self.line = wait_for(connected, "a hub that answers")
        self.get("scripts.list")
        self.descriptors_before = self.descriptors()

    def settle(self):
        """Takes all scripts away: nothing of them is to be left."""
        for script in self.get("scripts.list"):
            self.get("scripts.delete", id=script["id"])
        wait_for(lambda: not self.bearers(), lambda: f"the end of {self.bearers()}")
        wait_for(lambda: len(self.descriptors()) <= len(self.descriptors_before),
                 lambda: f"{self.descriptors()} to be {self.descriptors_before} again")
        assert self.hub.poll() is None, "the hub is gone"

    def resident_mib(self):
        status = pathlib.Path(f"/proc/{self.hub.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmRSS:\s+([0-9]+)", status)[1]) / 1024

    def descriptors(self):
        """What the hub has open, but for the keeper's program, which it makes once."""
        found = []
        for fd in os.listdir(f"/proc/{self.hub.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                found.append(re.sub(r"\d+", "N", os.readlink(f"/proc/{self.hub.pid}/fd/{fd}")))
        return sorted(name for name in found if not name.startswith("/memfd:labdeck-keeper"))

    def bearers(self, name=None):
        """What a tree inherits however it forks, and by which it is found again, zombies excepted; with a name only
        that script's processes, its keeper not among them."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                comm = pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
                if f"{MARK}={self.mark}".encode() not in environment:
                    continue
                if name is None or (f"{NAME}={name}".encode() in environment and comm != "labdeck-keeper"):
                    found.append(int(pid))
        return found

    def ask(self, method, **params):
        """The whole answer."""
        return self.line.ask(json.dumps({"id": 1, "method": method, "params": params}))

    def get(self, method, **params):
        answer = self.ask(method, **params)
        assert answer["ok"], f"{method}: {answer['error']}"
        return answer["response"]

    def script(self, name="script", env=None, **definition):
        """Keeps a script; its id is its name."""
        marks = {MARK: self.mark, NAME: name}
        self.get("scripts.upsert", id=name, name=name, **{"stopGraceMs": 300, **definition},
                 env={**marks, **(env or {})})
        return name

    def run(self, name="script", **definition):
        self.script(name, **definition)
        self.get("process.start", id=name)
        return name

    def state(self, name="script"):
        return self.get("process.snapshot", id=name)

    def status(self, name="script"):
        return self.state(name)["status"]

    def wait_status(self, status, name="script", patience_s=30):
        def look():
            state = self.state(name)
            return state if state["status"] == status else None
        return wait_for(look, lambda: f"{name} to be {status}: {self.state(name)}", patience_s)

    def log(self, name="script"):
        return self.get("process.readLog", id=name)

    def wait_log(self, text, name="script", times=1):
        return wait_for(lambda: self.log(name).count(text) >= times,
                        lambda: f"{times} times {text!r} in {self.log(name)[-300:]!r}")

    def wait_end(self, name="script"):
        """Until nothing of it is left, which its status does not say too soon."""
        def look():
            state = self.state(name)
            return state if state["status"] in ("stopped", "exited", "failed") else None
        state = wait_for(look, lambda: f"the end of {name}: {self.state(name)}")
        assert not self.bearers(name), f"{name} is {state['status']}, and these are left: {self.bearers(name)}"
        return state

    def files(self, name="script"):
        """The log's files, the oldest first."""
        folder = pathlib.Path(self.root, ".labdeck/logs")
        found = [path for path in folder.glob(name + ".log*")]
        return sorted(found, key=lambda path: -int(path.suffix[1:]) if path.suffix != ".log" else 0)

    def on_disk(self, name="script"):
        return b"".join(path.read_bytes() for path in self.files(name))

    def wait_disk(self, end, name="script"):
        """Until the newest bytes on disk are these; all that is there."""
        wait_for(lambda: self.files(name) and self.files(name)[-1].read_bytes().endswith(end),
                 lambda: f"{end!r} at the end of {self.on_disk(name)[-100:]!r}")
        return self.on_disk(name)

    def output(self, name="script"):
        return self.get("source.stats", sourceId=self.state(name)["sourceId"])

    def tail(self, name="script", lines=100):
        return self.get("source.tail", sourceId=self.state(name)["sourceId"], lines=lines)["lines"]

    def hub_log(self):
        log = self.source("labdeck")
        return [row["text"] for row in self.get("source.tail", sourceId=log, lines=1000)["lines"]]

    @contextlib.contextmanager
    def listen(self, *topics):
        with self.connect() as line:
            line.ask(json.dumps({"id": 1, "method": "events.subscribe", "params": {"topics": topics}}))
            yield Events(line)


class Enclosed(Bench):
    """Its hub runs in a mount namespace of its own, after `setup`, a shell's words in which $root is the workspace."""

    def __init__(self, setup):
        super().__init__()
        self.setup = setup

    def up(self):
        wrapper = self.root + "/wrapper"
        pathlib.Path(wrapper).write_text(f"""#!/bin/sh
for root; do :; done
export root
exec unshare -rm sh -c 'set -e; {self.setup}; exec "$@"' sh {PROGRAM} "$@"
""", encoding="utf-8")
        os.chmod(wrapper, 0o755)
        self.program = wrapper
        super().up()

    def inside(self, path):
        """Where we find what the hub finds there."""
        return pathlib.Path(f"/proc/{self.hub.pid}/root{self.root}", path)


def allows(words):
    """Whether an ordinary mount namespace lets us do this."""
    return subprocess.run(["unshare", "-rm", "sh", "-c", words], capture_output=True, check=False).returncode == 0


# A file system that takes questions and never answers: who asks is not to be killed until it goes.
SILENT_MOUNT = """
import ctypes, os, struct, sys
folder, ready = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
if ctypes.CDLL(None).mount(b"silent", folder.encode(), b"fuse", 0, options.encode()) != 0:
    sys.exit("no FUSE here")
if os.fork() != 0:
    os._exit(0)
os.setsid()
with open(ready, "w") as file:
    file.write(str(os.getpid()))
question = struct.unpack_from("<IIQ", os.read(device, 1 << 17))
answer = struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, 0)
os.write(device, struct.pack("<IiQ", 16 + len(answer), 0, question[2]) + answer)
while True:
    os.read(device, 1 << 17)
"""


class Events:
    """A line on which events come."""

    def __init__(self, line):
        self.line = line
        self.heard = []
        self.last = None

    def next(self, name="script"):
        while True:
            message = self.line.hear()
            if "event" in message and message["params"].get("scriptId", name) == name:
                self.heard.append(message)
                return message

    def text_to(self, end, name="script"):
        """What process.log says, to these words."""
        said = ""
        while end not in said:
            message = self.next(name)
            if message["event"] == "process.log":
                said += message["params"]["text"]
        return said

    def changes_to(self, status, name="script"):
        """Each status that is another than the one before, to this one; health and metrics are told in between."""
        found = []
        while not found or found[-1] != status:
            message = self.next(name)
            if message["event"] == "process.status" and message["params"]["status"] != self.last:
                self.last = message["params"]["status"]
                found.append(self.last)
        return found


class Trees(unittest.TestCase):
    """Whatever a script starts ends with it."""

    def stops(self, body, ready, how="process.stop", within_s=10, **more):
        with Bench() as bench:
            bench.run(**python(body), **more)
            bench.wait_log(ready)
            self.assertEqual(bench.status(), "running")
            began = time.monotonic()
            bench.get(how, id="script")
            self.assertEqual(bench.wait_end()["status"], "stopped")
            self.assertLess(time.monotonic() - began, within_s)

    def test_what_forked_twice_is_stopped(self):
        for how in ("process.stop", "process.killTree"):
            with self.subTest(how=how):
                self.stops(DAEMON + "daemon(False)\ntime.sleep(1000)", "daemon", how)

    def test_a_child_in_a_session_of_its_own_is_stopped(self):
        self.stops("""
if os.fork() == 0:
    os.setsid()
    print("child", flush=True)
time.sleep(1000)""", "child")

    def test_what_ignores_term_is_killed_after_its_grace(self):
        began = time.monotonic()
        self.stops("""
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
while True: time.sleep(1000)""", "deaf", stopGraceMs=400)
        self.assertGreater(time.monotonic() - began, 0.4)

    def test_a_stubborn_daemon_is_ended_when_its_leader_is_gone(self):
        with Bench() as bench:
            bench.run(**python(DAEMON + "daemon()\nsys.exit(0)"))
            bench.wait_log("daemon")
            self.assertEqual(bench.wait_end()["status"], "exited")

    def test_a_daemon_whose_leader_ignores_term_is_ended(self):
        self.stops(DAEMON + "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ndaemon()\n"
                   "print('both', flush=True)\nwhile True: time.sleep(1000)", "both")

    def test_a_grandchild_that_holds_stdout_holds_up_nobody(self):
        with Bench() as bench:
            bench.run(**sh("setsid sh -c 'trap \"\" TERM HUP; echo held; while :; do sleep 1000; done' & "
                             "echo leader; exit 5"))
            state = bench.wait_status("failed")
            self.assertEqual((state["lastExitCode"], state["reason"]), (5, "exit 5"))
            self.assertEqual(bench.bearers(), [])
            # What the second run says comes from the same source.
            bench.get("process.start", id="script")
            bench.wait_log("leader", times=2)

    def test_a_bounded_storm_of_sessions_ends(self):
        # At most 150 children with a child each.
        body = """
for number in range(150):
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.fork()
        time.sleep(1000)
        os._exit(0)
    if number == 20: print("storm", flush=True)
time.sleep(1000)"""
        for how in ("process.stop", "process.killTree"):
            with self.subTest(how=how):
                self.stops(body, "storm", how)

    def test_a_bounded_chain_of_sessions_ends(self):
        # Each forks the next and goes: 300 in all, two at a time.
        with Bench() as bench:
            bench.run(stopGraceMs=5000, **python("""
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for number in range(300):
    if number == 20: print("chain", flush=True)
    if os.fork() != 0: os._exit(0)
    os.setsid()
    time.sleep(0.005)
time.sleep(1000)"""))
            bench.wait_log("chain")
            bench.get("process.killTree", id="script")
            self.assertEqual(bench.wait_end()["status"], "stopped")

    def test_a_script_that_stands_still_is_stopped(self):
        with Bench() as bench:
            bench.run(stopGraceMs=20000, **sh("trap 'echo bye; exit 0' TERM; echo here\n"
                                              "while :; do sleep 0.05; done"))
            bench.wait_log("here")
            os.kill(bench.state()["pid"], signal.SIGSTOP)
            began = time.monotonic()
            bench.get("process.stop", id="script")
            self.assertEqual(bench.wait_end()["status"], "stopped")
            self.assertLess(time.monotonic() - began, 5)
            bench.wait_log("bye")

    def test_a_script_that_lets_its_children_lie_is_stopped(self):
        self.stops("""
for _ in range(50):
    if os.fork() == 0: os._exit(0)
print("zombies", flush=True)
time.sleep(1000)""", "zombies")

    def test_a_keeper_that_stands_still_hears_all_the_same(self):
        for how in ("process.stop", "process.killTree"):
            with self.subTest(how=how):
                self.stops("time.sleep(0.2)\nos.kill(os.getppid(), signal.SIGSTOP)\nprint('here', flush=True)\n"
                           "time.sleep(1000)",
                           "here", how)
        with Bench() as bench:
            bench.run(**sh("sleep 0.2; kill -STOP $PPID; echo here; exec sleep 1000"))
            bench.wait_log("here")
            bench.hub.send_signal(signal.SIGTERM)
            self.assertEqual(bench.hub.wait(15), 0)
            self.assertEqual(bench.bearers(), [])
            bench.line.__exit__()
            bench.up()

    def test_whom_nobody_can_kill_is_named_and_waited_for(self):
        # In state D: it asks a file system that never answers.
        helper = tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8")
        self.addCleanup(helper.close)
        helper.write(SILENT_MOUNT)
        helper.flush()
        mount = f"{sys.executable} {helper.name} $root/silent $root/ready"
        with tempfile.TemporaryDirectory() as folder:
            if not allows("root=%s; %s; kill $(cat $root/ready)" % (folder, mount)):
                self.skipTest("no FUSE mount is allowed here")
        with Enclosed(mount) as bench:
            fuse = int(wait_for(pathlib.Path(bench.root, "ready").read_text, "the file system"))
            bench.run(**python("print('asking', flush=True)\nos.stat('silent/file')"))
            bench.wait_log("asking")
            pid = bench.state()["pid"]

            def blocked():
                return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
            bench.get("process.stop", id="script")
            wait_for(lambda: blocked() == "D", "it to hang")
            state = wait_for(lambda: (lambda s: s if "reason" in s else None)(bench.state()), "a word on it", 90)
            self.assertEqual((state["status"], state["reason"]), ("stopping", f"unkillable: pid {pid} in state D"))
            os.kill(fuse, signal.SIGKILL)
            self.assertEqual(bench.wait_end()["status"], "stopped")

    def test_who_has_the_leaders_pid_later_is_left_alone(self):
        with Bench() as bench:
            bench.run(**python(DAEMON + "daemon()\nprint('leader', os.getpid(), 'gone', flush=True)\nsys.exit(0)"),
                      stopGraceMs=60_000)
            bench.wait_log("gone")
            leader = int(re.search("leader ([0-9]+)", bench.log())[1])
            wait_for(lambda: process_gone(leader), "the leader's end")
            stranger = None
            for _ in range(300):
                try:
                    pathlib.Path("/proc/sys/kernel/ns_last_pid").write_text(str(leader - 1), encoding="utf-8")
                except OSError as why:
                    self.skipTest(f"no pid can be chosen here: {why}")
                stranger = subprocess.Popen(["sleep", "1000"])
                if stranger.pid == leader:
                    break
                stranger.kill()
                stranger.wait()
            try:
                self.assertEqual(stranger.pid, leader)
                bench.get("process.stop", id="script")
                bench.get("process.killTree", id="script")
                bench.wait_end()
                self.assertIsNone(stranger.poll())
            finally:
                stranger.kill()
                stranger.wait()

    def test_kill_tree_grants_no_grace(self):
        self.stops(DAEMON + "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ndaemon()\n"
                   "print('both', flush=True)\nwhile True: time.sleep(1000)", "both", "process.killTree", 5,
                   stopGraceMs=3_600_000)


class Hubs(unittest.TestCase):
    def test_a_killed_hub_takes_its_scripts_along_and_the_next_one_starts_what_is_to_start(self):
        with Bench() as bench:
            body = DAEMON + "print('run', flush=True)\ndaemon()\ntime.sleep(1000)"
            bench.script("auto", autoStart=True, **python(body))
            bench.run("by-hand", **python(body))
            bench.get("process.start", id="auto")
            for name in ("auto", "by-hand"):
                bench.wait_log("daemon", name)
            before = bench.get("scripts.list")
            old = bench.bearers()
            for at_once in (False, True):
                bench.hub.kill()
                bench.hub.wait()
                bench.line.__exit__()
                if not at_once:
                    wait_for(lambda: not bench.bearers(), lambda: f"the end of {bench.bearers()}")
                bench.up()
                wait_for(lambda: all(process_gone(pid) for pid in old), "the end of the old ones")
                self.assertEqual(bench.get("scripts.list"), before)
                bench.wait_log("daemon", "auto", 3 if at_once else 2)
                self.assertEqual(bench.status("auto"), "running")
                self.assertEqual(bench.status("by-hand"), "stopped")
                self.assertEqual(len(bench.bearers("auto")), 2, "a leader and its daemon, once")
                self.assertEqual(bench.bearers("by-hand"), [])
                old = bench.bearers()
            self.assertEqual(bench.log("auto").count("run"), 3)
            self.assertEqual(bench.log("by-hand").count("run"), 1)

    def locked(self, bench, **more):
        """A script that says "overlap" when another run of it lives."""
        bench.script("auto", **python("""
import fcntl
lock = open("alive", "w")
try: fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError: print("overlap", flush=True)
print("run", flush=True)
time.sleep(1000)"""), **more)

    def test_a_run_that_an_earlier_hub_left_behind_is_waited_for(self):
        with Bench() as bench:
            self.locked(bench, autoStart=True)
            bench.get("process.start", id="auto")
            bench.wait_log("run", "auto")
            old = bench.bearers()
            (keeper,) = set(old) - set(bench.bearers("auto"))
            # It cannot end its tree before somebody lets it go on, which the next hub does.
            os.kill(keeper, signal.SIGSTOP)
            bench.hub.kill()
            bench.hub.wait()
            bench.line.__exit__()
            bench.up()
            bench.wait_log("run", "auto", 2)
            bench.wait_status("running", "auto")
            self.assertNotIn("overlap", bench.log("auto"))
            self.assertTrue(all(process_gone(pid) for pid in old))
            self.assertTrue(any(f"under an earlier Labdeck to end (keeper {keeper})" in row for row in bench.hub_log()))

    def test_waiting_for_an_earlier_run_is_bounded_and_a_stop_ends_it(self):
        with Bench() as bench:
            self.locked(bench)
            # As somebody else's keeper would, for each script there may be.
            held = os.open(bench.root + "/.labdeck/trees.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.fcntl(held, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
            ask = '{"id":"start","method":"process.start","params":{"id":"auto"}}\n'
            bench.line.say(ask + '{"id":"stop","method":"process.stop","params":{"id":"auto"}}\n')
            answers = {answer["id"]: answer for answer in (bench.line.hear(), bench.line.hear())}
            self.assertEqual(answers["start"]["error"]["code"], "E_CANCELED")
            self.assertEqual(bench.wait_end("auto")["status"], "stopped")
            bench.line.say(ask)
            answer = bench.line.hear()
            self.assertIn("waited in vain for its run under an earlier Labdeck", answer["error"]["message"])
            self.assertEqual(bench.status("auto"), "failed")
            os.close(held)
            bench.get("process.start", id="auto")
            self.assertEqual(bench.status("auto"), "running")

    def test_a_hub_that_is_told_to_end_ends_its_scripts(self):
        with Bench() as bench:
            for name in ("one", "two"):
                bench.run(name, **python(DAEMON + "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ndaemon()\n"
                                           "time.sleep(1000)"))
                bench.wait_log("daemon", name)
            bench.hub.send_signal(signal.SIGTERM)
            self.assertEqual(bench.hub.wait(15), 0)
            self.assertEqual(bench.bearers(), [])
            bench.line.__exit__()
            bench.up()
            self.assertEqual(bench.status("one"), "stopped")

    def test_a_second_hub_is_refused_and_disturbs_nothing(self):
        with Bench() as bench:
            bench.run(**sh("echo run; sleep 1000"), autoStart=True)
            bench.wait_log("run")
            before = bench.state()["pid"]
            done = subprocess.run([PROGRAM, "serve", "--workspace", bench.root], capture_output=True, text=True,
                                  timeout=10, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"is held by process {bench.hub.pid}", done.stderr)
            self.assertEqual((bench.status(), bench.state()["pid"]), ("running", before))
            self.assertEqual(bench.log().count("run"), 1)
            with bench.connect() as other:
                self.assertTrue(other.ask('{"id":1,"method":"ping"}')["ok"])


class Restarts(unittest.TestCase):
    def test_quick_exits_without_end_are_a_crash_loop(self):
        with Bench() as bench:
            bench.run(**sh("echo run; exit 3"), restartPolicy="always", backoffMs=0, maxRetries=-1)
            state = bench.wait_status("failed")
            self.assertIn("crash-loop", state["reason"])
            self.assertIn("exit 3", state["reason"])
            bench.wait_log("run", times=31)
            time.sleep(0.3)
            self.assertEqual(bench.log().count("run"), 31)
            # By hand it starts again, and counts anew.
            bench.script(**sh("echo again; sleep 1000"))
            bench.get("process.start", id="script")
            bench.wait_log("again")
            self.assertEqual(bench.state()["retries"], 0)

    def test_retries_that_are_used_up_are_a_failure(self):
        with Bench() as bench:
            bench.run(**sh("echo run; kill -SEGV $$"), restartPolicy="on-failure", backoffMs=20, maxRetries=3)
            state = bench.wait_status("failed")
            self.assertEqual(state["reason"], "killed by SIGSEGV; 3 retries used up")
            self.assertEqual((state["retries"], state["lastExitCode"]), (3, 128 + signal.SIGSEGV))
            bench.wait_log("run", times=4)
            self.assertEqual(bench.log().count("run"), 4)

    def test_a_stop_during_backoff_holds(self):
        with Bench() as bench:
            bench.run(**sh("echo run; exit 1"), restartPolicy="always", backoffMs=600, maxRetries=-1)
            state = bench.wait_status("backoff")
            self.assertLessEqual(state["nextRestartDelayMs"], 750)
            bench.get("process.stop", id="script")
            self.assertEqual(bench.status(), "stopped")
            self.assertNotIn("nextRestartDelayMs", bench.state())
            time.sleep(1)
            self.assertEqual(bench.status(), "stopped")
            self.assertEqual(bench.log().count("run"), 1)

    def test_a_stop_during_the_start_holds(self):
        with Bench() as bench:
            bench.script(**sh("sleep 1000"), restartPolicy="always", backoffMs=0)
            for how in ("process.stop", "process.killTree"):
                for _ in range(10):
                    bench.line.say('{"id":"start","method":"process.start","params":{"id":"script"}}\n'
                                   f'{{"id":"stop","method":"{how}","params":{{"id":"script"}}}}\n')
                    answers = {answer["id"]: answer for answer in (bench.line.hear(), bench.line.hear())}
                    self.assertTrue(answers["stop"]["ok"], answers)
                    self.assertEqual(answers["start"]["error"]["code"], "E_CANCELED", answers)
                    self.assertEqual(bench.wait_end()["status"], "stopped")
            self.assertEqual(bench.bearers(), [])

    def test_many_starts_at_once_are_one_and_many_restarts_end_with_one(self):
        with Bench() as bench:
            bench.script(**sh("echo run; exec sleep 1000"))
            for how in ("start", "restart"):
                bench.line.say(f'{{"id":1,"method":"process.{how}","params":{{"id":"script"}}}}\n' * 20)
                for _ in range(20):
                    answer = bench.line.hear()
                    self.assertTrue(answer["ok"] or answer["error"]["code"] == "E_CANCELED", answer)
                wait_for(lambda: bench.status() == "running" and len(bench.bearers("script")) == 1,
                         lambda: f"one run: {bench.state()}, {bench.bearers()}")
                bench.wait_log("run")
                if how == "start":
                    self.assertEqual(bench.log().count("run"), 1)
            time.sleep(0.3)
            self.assertEqual((bench.status(), len(bench.bearers())), ("running", 2))

    def test_a_script_that_is_deleted_during_backoff_never_starts_again(self):
        with Bench() as bench:
            bench.run(**sh("echo run >> runs; exit 1"), restartPolicy="always", backoffMs=300)
            bench.wait_status("backoff")
            bench.get("scripts.delete", id="script")
            time.sleep(0.6)
            self.assertEqual(pathlib.Path(bench.root, "runs").read_text(encoding="utf-8"), "run\n")

    def test_a_stop_is_no_crash(self):
        with Bench() as bench:
            bench.run(**sh("echo run; sleep 1000"), restartPolicy="always", backoffMs=0)
            bench.wait_log("run")
            bench.get("process.stop", id="script")
            bench.wait_status("stopped")
            time.sleep(0.3)
            self.assertEqual((bench.status(), bench.log().count("run")), ("stopped", 1))

    def test_a_killed_leader_is_started_again(self):
        with Bench() as bench:
            bench.run(**sh("echo run; sleep 1000"), restartPolicy="on-crash", backoffMs=10)
            bench.wait_log("run")
            os.kill(bench.state()["pid"], signal.SIGKILL)
            bench.wait_log("run", times=2)
            self.assertEqual(bench.wait_status("running")["retries"], 1)

    def test_a_killed_keeper_is_started_again_with_its_script(self):
        with Bench() as bench:
            bench.run(**sh("echo run; exec sleep 1000"), restartPolicy="on-crash", backoffMs=10)
            bench.wait_log("run")
            leaders = bench.bearers("script")
            keeper = next(pid for pid in bench.bearers() if pid not in leaders)
            os.kill(keeper, signal.SIGKILL)
            bench.wait_log("run", times=2)
            bench.wait_status("running")
            self.assertTrue(any("killed its keeper" in row for row in bench.hub_log()))

    def test_what_a_killed_keeper_leaves_behind_is_ended(self):
        with Bench() as bench:
            bench.run(**python(DAEMON + """
daemon(); daemon(False)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        print("naked", os.getpid(), flush=True)
        os.execve("/bin/sleep", ["sleep", "1000"], {})
    time.sleep(1000)
time.sleep(1000)"""))
            bench.wait_log("daemon", times=2)
            naked = int(re.search("naked ([0-9]+)", bench.wait_log("naked") and bench.log())[1])
            old = bench.bearers("script")
            self.assertEqual(len(old), 4)
            os.kill(next(pid for pid in bench.bearers() if pid not in old), signal.SIGKILL)
            self.assertEqual(bench.wait_end()["status"], "failed")
            self.assertTrue(process_gone(naked))
            self.assertEqual(bench.bearers(), [])
            self.assertTrue(any("killed its keeper" in row for row in bench.hub_log()))
            children = pathlib.Path(f"/proc/{bench.hub.pid}/task/{bench.hub.pid}/children").read_text(encoding="utf-8")
            self.assertEqual(children.strip(), "", "nobody is left with the hub, zombies included")

    def test_restart_ends_one_and_starts_another(self):
        with Bench() as bench:
            bench.run(**sh("trap '' TERM; echo run; while :; do sleep 0.05; done"))
            bench.wait_log("run")
            old = bench.state()["pid"]
            bench.get("process.restart", id="script")
            bench.wait_log("run", times=2)
            state = bench.wait_status("running")
            self.assertNotEqual(state["pid"], old)
            self.assertTrue(process_gone(old))
            # The grace of the one before is not its own.
            time.sleep(0.6)
            self.assertEqual((bench.status(), bench.state()["pid"]), ("running", state["pid"]))
            bench.get("process.stop", id="script")
            bench.wait_status("stopped")
            bench.get("process.restart", id="script")
            self.assertEqual(bench.status(), "running")


class Output(unittest.TestCase):
    def test_a_last_line_without_its_end_is_there(self):
        with Bench() as bench:
            bench.run(**sh("printf 'first\\nno end'; sleep 1000"))
            bench.wait_log("no end")
            self.assertEqual([row["text"] for row in bench.tail()], ["first", "no end"])
            bench.get("process.stop", id="script")
            bench.wait_end()
            self.assertEqual(bench.log(), "first\nno end")
            self.assertEqual([row["text"] for row in bench.tail()], ["first", "no end"])

    def test_bytes_reach_the_disk_as_they_are_and_the_wire_as_utf_8(self):
        with Bench() as bench, bench.listen("process.log") as events:
            said = b"a\0b \xff\xfe \xed\xa0\x80 \xe2\x82|\xac \xf0\x9f\x98|\x80 \xc3\xa4 \xe2\x82|x end\n"
            bench.run(**python(f"""
for part in {said.split(b'|')!r}:
    os.write(1, part)
    time.sleep(0.2)"""))
            text = events.text_to("end\n")
            self.assertEqual(text, said.replace(b"|", b"").decode("utf-8", "replace"))
            self.assertEqual(text.count("\u20ac"), 1)
            self.assertEqual(text.count("\U0001f600"), 1)
            self.assertEqual(bench.wait_disk(b"end\n"), said.replace(b"|", b""))
            self.assertEqual(bench.log(), text)

    def test_a_code_point_that_is_never_finished_is_told_of_when_the_run_is_over(self):
        with Bench() as bench, bench.listen("process.log") as events:
            bench.script(**python("os.write(1, b'cut \\xe2\\x82')"))
            for _ in range(2):
                bench.get("process.start", id="script")
                self.assertEqual(events.text_to("\ufffd"), "cut \ufffd")
                bench.wait_end()
            self.assertEqual(bench.on_disk(), b"cut \xe2\x82" * 2)
            self.assertEqual(bench.log(), "cut \ufffd" * 2)

    def test_a_line_of_100_mb_is_all_there(self):
        with Bench() as bench:
            bench.run(**sh("head -c 100000000 /dev/zero | tr '\\0' x; echo end"))
            bench.wait_end()
            stats = wait_for(lambda: (lambda s: s if s["bytes"] >= 100_000_004 else None)(bench.output()), "its bytes")
            self.assertEqual((stats["bytes"], stats["lines"], stats["errors"]), (100_000_004, 1, 0))
            self.assertEqual(stats["drops"], 0)
            disk = bench.wait_disk(b"xend\n")
            self.assertEqual(disk.strip(b"x"), b"end\n")
            self.assertGreater(len(disk), 40 << 20)
            self.assertTrue(bench.log().endswith("xend\n"))
            self.assertTrue("".join(row["text"] for row in bench.tail()).endswith("xend"))

    def test_1_gb_of_lines_is_all_there_and_its_memory_is_given_back(self):
        with Bench() as bench:
            before = bench.resident_mib()
            bench.run(**sh("seq 100000000 199999999"))
            wait_for(lambda: bench.status() == "exited", "its end", 120)
            stats = wait_for(lambda: (lambda s: s if s["bytes"] >= 1_000_000_000 else None)(bench.output()), "its bytes")
            self.assertEqual((stats["bytes"], stats["lines"], stats["drops"]), (1_000_000_000, 100_000_000, 0))
            disk = bench.wait_disk(b"\n199999999\n")
            self.assert_newest(disk, 199_999_999)
            self.assertGreater(len(disk), 40 << 20)
            bench.get("scripts.delete", id="script")
            wait_for(lambda: bench.resident_mib() < before + 16,
                     lambda: f"{bench.resident_mib():.0f} MiB to be about {before:.0f} again")

    def assert_newest(self, disk, last):
        """The last lines of a count, without a hole."""
        first = int(disk[:disk.index(b"\n")])
        self.assertEqual(disk, b"".join(b"%d\n" % number for number in range(first, last + 1)))

    def test_rotation_in_a_burst_keeps_the_newest_without_a_hole(self):
        with Bench() as bench:
            bench.run(**sh("seq 100000 199999"), log={"maxBytes": 4096, "maxFiles": 4})
            bench.wait_end()
            disk = bench.wait_disk(b"\n199999\n")
            self.assertEqual(len(bench.files()), 4)
            self.assert_newest(disk, 199_999)
            self.assertGreater(len(disk), 3 * 4000)

    def test_a_script_that_closes_its_streams_lives_on(self):
        with Bench() as bench:
            bench.run(**python("print('closing', flush=True)\nfor fd in (0, 1, 2): os.close(fd)\ntime.sleep(1000)"))
            bench.wait_log("closing")
            time.sleep(0.7)
            self.assertEqual(bench.status(), "running")

    def test_what_is_said_right_before_the_end_is_there(self):
        with Bench() as bench, bench.listen("process.log") as events:
            bench.run(**python("os.write(1, b''.join(b'line %d\\n' % i for i in range(10000)))\nos._exit(0)"))
            expected = "".join(f"line {i}\n" for i in range(10000))
            self.assertEqual(events.text_to("line 9999\n"), expected)
            self.assertEqual(bench.wait_disk(b"line 9999\n").decode(), expected)
            self.assertEqual(bench.output()["lines"], 10000)
            self.assertEqual([row["text"] for row in bench.tail(lines=10000)], expected.split("\n")[:-1])

    def test_a_log_folder_that_is_removed_is_made_again(self):
        with Bench() as bench:
            bench.run(**sh("while :; do echo tick; sleep 0.02; done"))
            bench.wait_log("tick")
            before = bench.state()["pid"]
            for _ in range(3):
                shutil.rmtree(bench.root + "/.labdeck/logs")
                bench.wait_log("tick", times=3)
            self.assertEqual((bench.status(), bench.state()["pid"]), ("running", before))

    def test_a_log_that_cannot_grow_holds_up_nobody_and_says_what_is_missing(self):
        with Bench() as bench:
            bench.run(**sh("seq 100000 399999; echo full; while [ ! -e go ]; do sleep 0.02; done; echo again"),
                      log={"maxBytes": 10_000_000})
            before = resource.prlimit(bench.hub.pid, resource.RLIMIT_FSIZE)
            bench.wait_log("full")
            bench.get("process.stop", id="script")
            bench.wait_end()
            size = bench.files()[-1].stat().st_size
            resource.prlimit(bench.hub.pid, resource.RLIMIT_FSIZE, (size + 100_000, before[1]))
            bench.get("process.start", id="script")
            wait_for(lambda: bench.output()["bytes"] == 2 * (2_100_000 + 5), "all that it says")
            wait_for(lambda: any("the log is not written" in row for row in bench.hub_log()), "a word on it")
            self.assertEqual(bench.status(), "running")
            resource.prlimit(bench.hub.pid, resource.RLIMIT_FSIZE, before)
            pathlib.Path(bench.root, "go").touch()
            disk = bench.wait_disk(b"again\n")
            self.assertIn(b"bytes are missing here", disk[size:])

    def test_a_full_disk_holds_up_nobody_and_is_told_of(self):
        mount = "mkdir -p $root/.labdeck/logs; mount -t tmpfs -o size=1m none $root/.labdeck/logs"
        if not allows("mount -t tmpfs none /mnt"):
            self.skipTest("no file system may be mounted here")
        with Enclosed(mount + "; head -c 600000 /dev/zero >$root/.labdeck/logs/ballast") as bench:
            bench.run(**sh("seq 100000 399999; echo full; while [ ! -e go ]; do sleep 0.02; done; echo again"))
            wait_for(lambda: bench.output()["bytes"] == 2_100_005, "all that it says")
            wait_for(lambda: any("No space left on device" in row for row in bench.hub_log()), "a word on it")
            self.assertEqual(bench.status(), "running")
            self.assertEqual(bench.tail(lines=1)[0]["text"], "full")
            bench.inside(".labdeck/logs/ballast").unlink()
            pathlib.Path(bench.root, "go").touch()
            bench.wait_log("again\n")
            disk = bench.inside(".labdeck/logs/script.log").read_bytes()
            missing = int(re.search(rb"\n\[labdeck\] ([0-9]+) bytes are missing here: .*No space left", disk)[1])
            note = disk[disk.index(b"[labdeck]"):].split(b"\n", 1)[0] + b"\n"
            self.assertEqual(len(disk) - len(note) + missing, 2_100_005 + len("again\n") + 1, disk[-200:])
            wait_for(lambda: any("is written again" in row for row in bench.hub_log()), "a word on that")

    def test_a_subscriber_that_does_not_read_is_cut_off_and_disturbs_nobody(self):
        with Bench() as bench, bench.listen("process.log") as idle:
            bench.run(**sh("seq 100000000 119999999; echo said; sleep 1000"))
            wait_for(lambda: any("cut off" in row for row in bench.hub_log()), "a word on the idle one")
            began = time.monotonic()
            bench.get("ping")
            self.assertLess(time.monotonic() - began, PROMPT_S)
            wait_for(lambda: bench.output()["bytes"] == 200_000_005, "all that it says")
            bench.wait_disk(b"said\n")
            self.assertEqual(bench.status(), "running")
            with bench.listen("process.log") as other:
                bench.get("process.restart", id="script")
                self.assertIn("100000000\n", other.text_to("100000001\n"))
            del idle


class Starts(unittest.TestCase):
    def refused(self, bench, words, path, **definition):
        with bench.listen("process.status") as events:
            bench.script(**definition)
            answer = bench.ask("process.start", id="script")
            self.assertFalse(answer["ok"], answer)
            self.assertEqual(answer["error"]["code"], "E_IO", answer)
            for word in (words, path):
                self.assertIn(word, answer["error"]["message"])
            state = bench.state()
            self.assertEqual((state["status"], state["reason"]), ("failed", answer["error"]["message"]))
            self.assertNotIn("pid", state)
            self.assertEqual(events.changes_to("failed")[-1], "failed")
        bench.get("scripts.delete", id="script")

    def test_what_cannot_be_started_says_why(self):
        with Bench() as bench:
            plain = pathlib.Path(bench.root, "plain")
            plain.write_text("echo never\n", encoding="utf-8")
            rubbish = pathlib.Path(bench.root, "rubbish")
            rubbish.write_bytes(b"\x01\x02\x03 no program\n")
            rubbish.chmod(0o755)
            lost = pathlib.Path(bench.root, "lost")
            lost.write_text("#!/no/such/interpreter\n", encoding="utf-8")
            lost.chmod(0o755)
            missing = "No such file or directory"
            for words, path, definition in (
                    (missing, "no-such-program", {"command": "no-such-program"}),
                    (missing, "/no/such/program", {"command": "/no/such/program -x"}),
                    (missing, "/no/such/folder", {"command": "true", "cwd": "/no/such/folder"}),
                    ("Not a directory", str(plain), {"command": "true", "cwd": str(plain)}),
                    ("Permission denied", str(plain), {"command": str(plain)}),
                    ("Permission denied", bench.root, {"command": bench.root}),
                    ("Exec format error", str(rubbish), {"command": str(rubbish)}),
                    (missing, str(lost), {"command": str(lost)}),
                    ("Argument list too long", "/bin/true", {"command": "/bin/true", "args": ["x" * 130_000] * 60})):
                with self.subTest(words=words, path=path):
                    self.refused(bench, words, path, restartPolicy="always", backoffMs=0, **definition)

    def test_a_script_whose_program_comes_later_starts_then(self):
        with Bench() as bench:
            program = pathlib.Path(bench.root, "late")
            bench.script(command=str(program))
            self.assertEqual(bench.ask("process.start", id="script")["error"]["code"], "E_IO")
            program.write_text("#!/bin/sh\necho here; sleep 1000\n", encoding="utf-8")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
            bench.get("process.start", id="script")
            self.assertEqual(bench.status(), "running")
            bench.wait_log("here")

    def test_a_hub_without_descriptors_says_so_and_starts_later(self):
        with Bench() as bench:
            bench.script(**sh("echo run; sleep 1000"))
            before = resource.prlimit(bench.hub.pid, resource.RLIMIT_NOFILE)
            highest = max(int(fd) for fd in os.listdir(f"/proc/{bench.hub.pid}/fd"))
            refused = 0
            # Each lets it come a descriptor further.
            for more in range(1, 16):
                resource.prlimit(bench.hub.pid, resource.RLIMIT_NOFILE, (highest + more, before[1]))
                answer = bench.ask("process.start", id="script")
                if not answer["ok"]:
                    refused += 1
                    self.assertEqual(answer["error"]["code"], "E_IO")
                    self.assertIn("Too many open files", answer["error"]["message"])
                    self.assertEqual(bench.status(), "failed")
                else:
                    bench.get("process.killTree", id="script")
                    bench.wait_end()
            self.assertGreater(refused, 2)
            resource.prlimit(bench.hub.pid, resource.RLIMIT_NOFILE, before)
            bench.script("other", **sh("echo run; sleep 1000"))
            for name in ("script", "other"):
                bench.get("process.start", id=name)
                bench.wait_log("run", name)

    def test_fifty_start_and_stop_at_once(self):
        with Bench() as bench:
            names = [f"idle-{number}" for number in range(50)]
            for name in names:
                bench.script(name, **sh("exec sleep 1000"))
            for how, status in (("process.start", "running"), ("process.stop", "stopped")):
                began = time.monotonic()
                bench.line.say("".join(json.dumps({"id": name, "method": how, "params": {"id": name}}) + "\n"
                                       for name in names))
                answers = [bench.line.hear() for _ in names]
                self.assertTrue(all(answer["ok"] for answer in answers), answers)
                self.assertEqual({answer["id"] for answer in answers}, set(names))
                wait_for(lambda: all(row["status"] == status for row in bench.get("process.snapshots")),
                         lambda: bench.get("process.snapshots"))
                self.assertLess(time.monotonic() - began, 10)
                self.assertEqual(len(bench.bearers()), 100 if status == "running" else 0)


class Secrets(unittest.TestCase):
    SECRET = "hunter2/and more"

    def test_a_secret_is_seen_nowhere(self):
        with Bench() as bench, bench.listen("process.log", "process.status") as events:
            bench.run(env={"API_TOKEN": self.SECRET}, **python("""
token = os.environ["API_TOKEN"].encode()
os.write(1, b"whole " + token + b" end\\n")
for cut in range(1, len(token)):
    os.write(1, b"cut " + token[:cut])
    time.sleep(0.005)
    os.write(2, token[cut:] + b" end\\n")
os.write(1, token.replace(b"/", b"%2F").replace(b" ", b"%20") + b" url\\n")
os.write(1, b"last " + token)
time.sleep(1000)"""))
            said = events.text_to("last ***")
            cuts = len(self.SECRET) - 1
            expected = "whole *** end\n" + "cut *** end\n" * cuts + "*** url\nlast ***"
            self.assertEqual(said, expected)
            self.assertEqual(bench.wait_disk(b"last ***").decode(), expected)
            self.assertEqual(bench.log(), expected)
            self.assertEqual("\n".join(row["text"] for row in bench.tail()), expected)
            self.assertNotIn("hunter2", json.dumps(events.heard))
            self.assertNotIn("hunter2", json.dumps(bench.get("data.export")))

    def test_a_secret_is_in_no_reason(self):
        with Bench() as bench, bench.listen("process.status") as events:
            for definition in ({"command": "/nowhere/hunter2-and-more/x"}, {"command": "hunter2-and-more"},
                               {"command": "true", "cwd": "/nowhere/hunter2-and-more"},
                               {"command": "say 'hunter2-and-more"}):
                with self.subTest(definition):
                    bench.script(env={"API_TOKEN": "hunter2-and-more"}, **definition)
                    answer = bench.ask("process.start", id="script")
                    self.assertEqual(answer["error"]["code"], "E_IO")
                    self.assertIn("***", answer["error"]["message"])
                    self.assertNotIn("hunter2", json.dumps(answer))
                    self.assertNotIn("hunter2", json.dumps(bench.state()))
            events.changes_to("failed")
            self.assertNotIn("hunter2", json.dumps(events.heard))
            self.assertNotIn("hunter2", json.dumps(bench.hub_log()))

    def test_a_secret_that_is_written_slowly_is_masked_from_its_fourth_byte_on(self):
        with Bench() as bench:
            bench.run(env={"API_TOKEN": self.SECRET}, **python("""
for byte in os.environ["API_TOKEN"].encode():
    os.write(1, bytes([byte]))
    time.sleep(0.05)
print(" there", flush=True)
time.sleep(1000)
"""))
            bench.wait_log("*** there")
            self.assertNotIn(self.SECRET[3:6], bench.log())

    def test_a_secret_that_is_changed_is_still_one_in_the_run_that_has_it(self):
        with Bench() as bench:
            body = sh("while :; do echo say $DOOR_PASSWORD; sleep 0.05; done")
            bench.run(env={"DOOR_PASSWORD": "open-sesame"}, **body)
            bench.wait_log("say ***")
            bench.script(env={"DOOR_PASSWORD": "close-sesame"}, **body)
            bench.wait_log("say ***", times=20)
            bench.get("process.restart", id="script")
            before = bench.log().count("say ***")
            bench.wait_log("say ***", times=before + 20)
            self.assertNotIn("sesame", bench.log())

    def test_secrets_of_a_command_and_of_a_provider_are_masked_too(self):
        spec = {"commands": [{"name": "cmd", "command": ["sh", "-c", "echo out $A_TOKEN; echo err $A_TOKEN >&2"],
                              "env": {"A_TOKEN": "hunter2-and-more"}}]}
        with Bench(spec) as bench:
            for source, word in (("cmd", "out"), ("cmd stderr", "err")):
                def rows(source=source):
                    tail = bench.get("source.tail", sourceId=bench.source(source), lines=10)
                    return [row["text"] for row in tail["lines"]]
                wait_for(lambda: rows() == [f"{word} ***"], rows)

    def test_a_secret_that_is_given_while_it_runs_is_masked_from_then_on(self):
        with Bench() as bench:
            body = sh("while :; do echo say open-sesame; sleep 0.02; done")
            bench.run(**body)
            bench.wait_log("say open-sesame")
            bench.script(env={"DOOR_PASSWORD": "open-sesame"}, **body)
            bench.wait_log("say ***")
            self.assertEqual(bench.status(), "running")


class Records(unittest.TestCase):
    def test_a_profile_starts_in_its_order_and_stops_in_reverse(self):
        with Bench() as bench, bench.listen("process.status") as events:
            for name in ("alpha", "beta", "gamma"):
                bench.script(name, **sh("exec sleep 1000"))
            order = ["beta", "gamma", "alpha"]
            bench.get("profiles.upsert", id="all", name="All", scriptIds=order)
            bench.get("profiles.startAll", id="all")

            def each(status):
                """The names in the order in which they became so, and when."""
                found = {}
                while len(found) < 3:
                    params = events.line.hear()["params"]
                    if params["status"] == status:
                        found.setdefault(params["scriptId"], time.monotonic())
                return found
            started = each("running")
            self.assertEqual(list(started), order)
            times = list(started.values())
            for before, after in zip(times, times[1:]):
                self.assertGreater(after - before, 0.9)
                self.assertLess(after - before, 3)
            bench.get("profiles.stopAll", id="all")
            self.assertEqual(list(each("stopped")), order[::-1])
            # The run before does not count as being up.
            bench.get("profiles.startAll", id="all")
            times = list(each("running").values())
            for before, after in zip(times, times[1:]):
                self.assertGreater(after - before, 0.9)

    def test_another_place_for_logs_holds_from_the_next_start_on(self):
        with Bench() as bench:
            bench.script(**sh("echo run; exec sleep 1000"))
            bench.get("process.start", id="script")
            bench.wait_log("run")
            elsewhere = bench.root + "/elsewhere"
            bench.get("settings.update", logsPath=elsewhere)
            self.assertEqual(bench.get("process.readLog", id="script"), "run\n")
            self.assertFalse(os.path.exists(elsewhere))
            bench.get("process.restart", id="script")
            wait_for(lambda: os.path.isdir(elsewhere) and os.listdir(elsewhere), "a log in its new place")
            bench.wait_log("run")
            self.assertEqual(bench.get("process.readLog", id="script"), "run\n")

    def test_a_profile_that_is_stopped_on_its_way_up_starts_nothing_more(self):
        with Bench() as bench:
            for name in ("first", "second"):
                bench.script(name, **sh("echo run; exec sleep 1000"))
            bench.get("profiles.upsert", id="all", name="All", scriptIds=["first", "second"])
            bench.get("profiles.startAll", id="all")
            bench.wait_log("run", "first")
            bench.get("profiles.stopAll", id="all")
            bench.wait_status("stopped", "first")
            time.sleep(1.3)
            self.assertEqual((bench.status("first"), bench.status("second")), ("stopped", "stopped"))
            self.assertEqual(bench.log("second"), "")

    def test_a_profile_goes_on_past_what_cannot_start(self):
        with Bench() as bench:
            bench.script("broken", command="/no/such/program")
            bench.script("whole", **sh("exec sleep 1000"))
            bench.get("profiles.upsert", id="all", name="All", scriptIds=["broken", "whole"])
            bench.get("profiles.startAll", id="all")
            bench.wait_status("running", "whole")
            self.assertEqual(bench.status("broken"), "failed")

    def test_export_import_export_is_equal_and_keeps_what_runs(self):
        with Bench() as bench:
            bench.run("one", env={"API_KEY": "very-secret-key"}, **sh("echo $API_KEY | wc -c; exec sleep 1000"))
            bench.script("two", command="true", autoRestart=True, newerKey={"kept": [1, 2.5, None]})
            bench.get("profiles.upsert", id="all", name="All", scriptIds=["two", "one"])
            bench.get("settings.update", theme="dark", other={"x": 1})
            bench.wait_log("16", "one")
            before = bench.state("one")["pid"]
            first = bench.get("data.export")
            again = bench.get("data.import", data=first, mode="replace")
            self.assertEqual(again, first)
            self.assertEqual(json.dumps(bench.get("data.export")), json.dumps(first))
            self.assertEqual((bench.status("one"), bench.state("one")["pid"]), ("running", before))
            # The value was not in the document, and is still there.
            bench.get("process.restart", id="one")
            bench.wait_log("16", "one", 2)

    def test_an_import_that_leaves_a_running_script_out_ends_it(self):
        with Bench() as bench:
            empty = bench.get("data.export")
            bench.run(**python(DAEMON + "daemon()\ntime.sleep(1000)"))
            bench.wait_log("daemon")
            bench.get("data.import", data=empty, mode="replace")
            wait_for(lambda: not bench.bearers(), "its end")
            self.assertEqual(bench.ask("process.start", id="script")["error"]["code"], "E_NOT_FOUND")

    def test_a_running_script_that_is_deleted_ends(self):
        with Bench() as bench:
            bench.run(**python(DAEMON + "daemon()\ntime.sleep(1000)"), restartPolicy="always", backoffMs=0)
            bench.wait_log("daemon")
            bench.get("scripts.delete", id="script")
            self.assertEqual(bench.ask("process.snapshot", id="script")["error"]["code"], "E_NOT_FOUND")
            # The name is free at once; what was there before is not mistaken for it.
            bench.run(**sh("echo new; exec sleep 1000"))
            wait_for(lambda: len(bench.bearers()) == 2, lambda: f"the old ones' end: {bench.bearers()}")
            self.assertEqual(bench.status(), "running")

    def test_events_follow_each_change(self):
        with Bench() as bench, bench.listen("process.status") as events:
            bench.script(**sh("echo run; sleep 1000"))
            bench.get("process.start", id="script")
            self.assertEqual(events.changes_to("running"), ["stopped", "starting", "running"])
            bench.get("process.stop", id="script")
            self.assertEqual(events.changes_to("stopped"), ["stopping", "stopped"])
            bench.script(**sh("sleep 0.1; exit 4"), restartPolicy="on-failure", backoffMs=50, maxRetries=1)
            bench.get("process.start", id="script")
            self.assertEqual(events.changes_to("failed"),
                             ["starting", "running", "backoff", "starting", "running", "failed"])
            bench.script(**sh("exit 0"))
            bench.get("process.start", id="script")
            self.assertEqual(events.changes_to("exited"), ["starting", "running", "exited"])

    def test_a_profile_that_starts_at_login_has_an_entry_that_starts_this_bench(self):
        with Bench() as bench:
            folder = pathlib.Path(bench.root, ".config", "autostart")

            def entries():
                return sorted(folder.iterdir()) if folder.exists() else []

            def keep(wanted, **more):
                bench.get("profiles.upsert", id="p", name="Rig %f", scriptIds=[], autoStartOnLogin=wanted, **more)
            bench.get("profiles.upsert", id="q", name="Other", scriptIds=[])
            self.assertEqual(entries(), [])
            keep(True)
            entry, = entries()
            text = entry.read_text()
            self.assertIn(f'Exec="{PROGRAM}" console --workspace "{os.path.realpath(bench.root)}"\n', text)
            self.assertIn("Comment=Starts Rig %f\n", text)
            # What its owner does to it stays, until the profiles are others.
            entry.unlink()
            keep(True)
            self.assertEqual(entries(), [])
            bench.get("profiles.upsert", id="q", name="Other", scriptIds=[], autoStartOnLogin=True)
            self.assertIn("Comment=Starts Other, Rig %f\n", entries()[0].read_text())
            bench.get("profiles.delete", id="q")
            keep(False)
            self.assertEqual(entries(), [])
            # An entry that cannot be written is told of; the profile is kept.
            folder.rmdir()
            folder.write_text("no folder")
            keep(True)
            self.assertTrue(any("start at login" in row for row in bench.hub_log()))
            self.assertTrue(bench.get("profiles.list")[-1]["autoStartOnLogin"])

    def test_who_changes_what_is_kept_lets_the_others_know(self):
        with Bench() as bench, bench.listen("data.changed") as events:
            def change(method, **params):
                bench.get(method, **params)
                return events.next()["params"]["kinds"]
            self.assertEqual(change("scripts.create", id="a", name="a", command="true"), ["scripts", "profiles"])
            self.assertEqual(change("scripts.upsert", id="a", name="b", command="true"), ["scripts", "profiles"])
            self.assertEqual(change("profiles.upsert", id="p", name="p", scriptIds=["a"]), ["scripts", "profiles"])
            self.assertEqual(change("settings.update", theme="light"), ["settings"])
            data = bench.get("data.export")
            self.assertEqual(change("data.import", data=data, mode="replace"), ["scripts", "profiles", "settings"])
            self.assertEqual(change("profiles.delete", id="p"), ["scripts", "profiles"])
            self.assertEqual(change("scripts.delete", id="a"), ["scripts", "profiles"])

    def test_what_runs_is_measured(self):
        with Bench() as bench:
            bench.run(**python("block = bytearray(os.urandom(1 << 20)) * 50\nprint('here', flush=True)\n"
                                 "while True: pass"))
            bench.wait_log("here")
            state = wait_for(lambda: (lambda s: s if s.get("cpuPercent", 0) > 20 else None)(bench.state()), "its CPU")
            self.assertGreater(state["memMB"], 50)

    def test_its_tree_is_told_down_to_the_last_grandchild(self):
        with Bench() as bench:
            bench.script(**sh("(sleep 1000; true) & sleep 1001; true"))
            self.assertEqual(bench.get("process.tree", id="script"), {"processes": []})
            bench.get("process.start", id="script")
            tree = wait_for(lambda: (lambda t: t if len(t) == 4 else None)(
                bench.get("process.tree", id="script")["processes"]), "all four of it")
            pids = {one["pid"]: one for one in tree}
            leader = pids[bench.state()["pid"]]
            self.assertNotIn(leader["parentPid"], pids)
            self.assertEqual(sorted(one["name"] for one in tree), ["sh", "sh", "sleep", "sleep"])
            self.assertTrue(all(one["parentPid"] in pids for one in tree if one is not leader))
            bench.get("process.stop", id="script")
            wait_for(lambda: bench.get("process.tree", id="script") == {"processes": []}, "its end")


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
