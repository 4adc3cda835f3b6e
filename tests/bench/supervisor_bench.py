#!/usr/bin/env python3
"""What the supervisor costs: supervisor_bench.py PATH-OF-LABDECK FAKES-FOLDER KEEPER [--only ROW] [--scripts N]

CPU is the scheduler's own account (/proc/PID/task/*/schedstat), by thread, in per cent of one core; the scripts' own
is not in it. A ratio is the median of seven runs that alternate with what they are compared with.
  chatty   200 scripts, 50 of which say 1 MB/s, by `labdeck serve` and with a window (Xvfb, software GL): bytes lost,
           sampler at most 3 % of a core, all other threads of the hub 30 %, a frame's CPU 4 ms (p50)
  idle     200 scripts that sleep: hub, keepers and window together at most 1.5 % of a core
  empty    a tree of twenty that ends at SIGTERM: from its last exit to the event that says so, at most 50 ms
  stream   a flood of lines to disk and screen together, against `cat >file`: at least 0.7
  keeper   a start through the keeper against a plain one, at most 3 ms more; PSS of a keeper at most 2 MiB
"""
import argparse
import contextlib
import json
import mmap
import os
import pathlib
import select
import socket
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "app"))
from bench import Console, Display, Workspace, wait_for  # noqa: E402

ROWS = ("chatty", "idle", "empty", "stream", "keeper")
HUB_THREADS = {"hub", "io-pipe", "io-serial", "store", "signals"}
RATE = 1_000_000
failed = []


def row(name, value, unit, limit, most=True):
    good = value <= limit if most else value >= limit
    if not good:
        failed.append(name)
    print(f"{name:<46} {value:9.3f} {unit:<14} {'limit' if most else 'least'} {limit:g}  {'ok' if good else 'OVER'}",
          flush=True)


def note(name, text):
    print(f"{name:<46} {text}", flush=True)


class Cpu:
    """CPU seconds of a process, by thread's name, and of others as a whole."""

    def __init__(self, pid, others=()):
        self.pid, self.others = pid, list(others)
        self.began = time.monotonic()
        self.before = self.read()

    @staticmethod
    def ran_s(path):
        with open(path + "/schedstat", encoding="utf-8") as file:
            return int(file.read().split()[0]) / 1e9

    def read(self):
        found = {}
        for task in os.listdir(f"/proc/{self.pid}/task"):
            path = f"/proc/{self.pid}/task/{task}"
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                name = pathlib.Path(path, "comm").read_text(encoding="utf-8").strip()
                found[task, name] = self.ran_s(path)
        for pid in self.others:
            found[str(pid), "keepers"] = self.ran_s(f"/proc/{pid}")
        return found

    def percent(self):
        """Since it was made, per cent of a core by name, the dearest first."""
        seconds = time.monotonic() - self.began
        found = {}
        for (task, name), ran in self.read().items():
            # Threads of GL are many, and one thing.
            kind = "GL" if name.startswith(("llvmpipe", "labdeck:")) else name
            found[kind] = found.get(kind, 0) + 100 * (ran - self.before.get((task, name), 0)) / seconds
        return dict(sorted(found.items(), key=lambda entry: -entry[1]))


def told(percent):
    return "  ".join(f"{name} {value:.2f}" for name, value in percent.items() if value >= 0.005)


class Bench(Workspace):
    """A hub with scripts, and a line to it."""

    def __init__(self, program, display=None, panel="processes"):
        super().__init__(program, {})
        self.display, self.panel = display, panel
        self.console = self.line = None

    def __enter__(self):
        super().__enter__()
        if self.display is None:
            self.hub = self.serve()
        else:
            self.console = Console(self, self.display, "--panel", self.panel)
            self.hub = self.console.process

        def connected():
            with contextlib.suppress(OSError):
                return self.connect()
        self.line = wait_for(connected, "a hub that answers")
        return self

    def __exit__(self, *what):
        with contextlib.suppress(OSError):
            self.line.__exit__()
        super().__exit__(*what)

    def get(self, method, **params):
        answer = self.line.ask(json.dumps({"id": 1, "method": method, "params": params}))
        assert answer["ok"], f"{method}: {answer['error']}"
        return answer["response"]

    def script(self, name, *argv, **definition):
        self.get("scripts.upsert", id=name, name=name, command=argv[0], args=list(argv[1:]), **definition)
        return name

    def start_scripts(self, names):
        for name in names:
            self.get("process.start", id=name)

    def keepers(self):
        return [int(pid) for pid in pathlib.Path(f"/proc/{self.hub.pid}/task/{self.hub_thread()}/children").read_text(
            encoding="utf-8").split()]

    def hub_thread(self):
        for task in os.listdir(f"/proc/{self.hub.pid}/task"):
            if pathlib.Path(f"/proc/{self.hub.pid}/task/{task}/comm").read_text(encoding="utf-8") == "hub\n":
                return task
        raise AssertionError("the hub has no hub thread")

    @contextlib.contextmanager
    def listen(self, *topics):
        with self.connect() as line:
            line.ask(json.dumps({"id": 1, "method": "events.subscribe", "params": {"topics": topics}}))
            yield line


def each_kind(program, look):
    """Calls `look` with a hub without a window, then with one that has one."""
    with Bench(program) as bench:
        look("serve", bench)
    with Display() as display, Bench(program, display) as bench:
        look("window", bench)


def fresh_page_us():
    """CPU microseconds for the first touch of a page that the kernel has just handed out."""
    size = 64 << 20
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as pages:
        if hasattr(mmap, "MADV_NOHUGEPAGE"):
            pages.madvise(mmap.MADV_NOHUGEPAGE)
        begin = time.thread_time_ns()
        for at in range(0, size, 4096):
            pages[at] = 1
        return (time.thread_time_ns() - begin) / (size / 4096) / 1000


def chatty(program, fakes, count, seconds=14):
    # Not ours: 50 MB/s that are kept in memory and in the page cache are 24,000 fresh pages a second, and where a
    # host hands out memory page by page that is most of what is measured. On a machine of one's own 0.3 us.
    note("a fresh page of memory", f"{fresh_page_us():.2f} us CPU")

    def look(kind, bench):
        folder = pathlib.Path(bench.root)
        talkers = [bench.script(f"talker-{number}", fakes + "/paced_writer", str(RATE), str(seconds),
                                str(folder / f"count-{number}"), log={"rotate": False})
                   for number in range(count // 4)]
        sleepers = [bench.script(f"sleeper-{number}", "sleep", "100000") for number in range(count - len(talkers))]
        bench.start_scripts(sleepers)
        bench.start_scripts(talkers)
        time.sleep(3)
        cpu = Cpu(bench.hub.pid, bench.keepers())
        time.sleep(seconds - 6)
        percent = cpu.percent()
        counts = [folder / f"count-{number}" for number in range(len(talkers))]
        wait_for(lambda: all(path.exists() and path.read_text(encoding="utf-8").endswith("\n") for path in counts),
                 "the writers' counts", 120)
        said = [int(path.read_text(encoding="utf-8")) for path in counts]

        def missing(read):
            """Bytes that are not there (yet), in all."""
            return sum(abs(wanted - read(name)) for wanted, name in zip(said, talkers))

        def counted(name):
            stats = bench.get("source.stats", sourceId=bench.get("process.snapshot", id=name)["sourceId"])
            return stats["bytes"] - stats["drops"]

        def on_disk(name):
            with contextlib.suppress(FileNotFoundError):
                return os.stat(f"{bench.root}/.labdeck/logs/{name}.log").st_size
            return 0

        def settled(read):
            with contextlib.suppress(AssertionError):
                wait_for(lambda: missing(read) == 0, "all bytes", 20)
            return missing(read)
        note(f"{kind}: {len(talkers)} of {count} chatty, by thread", told(percent))
        row(f"{kind}: bytes lost on the way to the hub", settled(counted), f"of {sum(said)}", 0)
        row(f"{kind}: bytes lost on the way to the disk", settled(on_disk), f"of {sum(said)}", 0)
        row(f"{kind}: sampler", percent.get("sampler", 0), "% of a core", 3)
        row(f"{kind}: the hub's other threads", sum(percent.get(name, 0) for name in HUB_THREADS), "% of a core", 30)
        if bench.console:
            report = bench.console.report()
            row(f"{kind}: a frame, p50", report["frameCpuMs"]["p50"], "ms CPU", 4)
    each_kind(program, look)


def idle(program, _, count):
    def look(kind, bench):
        bench.start_scripts([bench.script(f"sleeper-{number}", "sleep", "100000") for number in range(count)])
        # Until the start is out of the charts' minute, where there is a window.
        time.sleep(65 if bench.console else 10)
        cpu = Cpu(bench.hub.pid, bench.keepers())
        time.sleep(20)
        percent = cpu.percent()
        note(f"{kind}: {count} idle scripts, by thread", told(percent))
        row(f"{kind}: {count} idle scripts, all of Labdeck", sum(percent.values()), "% of a core", 1.5)
    each_kind(program, look)


TREE = """
import os, signal, sys, time
for _ in range(19):
    if os.fork() == 0:
        break
else:
    print("here", flush=True)
signal.pause()
"""


def descendants(pid):
    found = [pid]
    for one in found:
        for task in os.listdir(f"/proc/{one}/task"):
            with open(f"/proc/{one}/task/{task}/children", encoding="utf-8") as file:
                found += map(int, file.read().split())
    return found


def empty(program, _fakes, _count):
    late_ms = []
    with Bench(program) as bench, bench.listen("process.status") as events:
        bench.script("tree", "/usr/bin/python3", "-c", TREE)
        for _ in range(21):
            bench.start_scripts(["tree"])
            wait_for(lambda: len(descendants(bench.get("process.snapshot", id="tree")["pid"])) == 20, "the tree")
            time.sleep(0.1)
            pids = descendants(bench.get("process.snapshot", id="tree")["pid"])
            ends = [os.pidfd_open(pid) for pid in pids]
            last = []

            def watch():
                left = set(ends)
                poll = select.poll()
                for fd in ends:
                    poll.register(fd, select.POLLIN)
                while left:
                    for fd, _ in poll.poll():
                        poll.unregister(fd)
                        left.remove(fd)
                last.append(time.monotonic())
            watcher = threading.Thread(target=watch)
            watcher.start()
            bench.get("process.stop", id="tree")
            for status in ("stopping", "stopped"):
                while events.hear()["params"]["status"] != status:
                    pass
            heard = time.monotonic()
            watcher.join()
            for fd in ends:
                os.close(fd)
            late_ms.append((heard - last[0]) * 1000)
    late_ms.sort()
    note("an empty tree: best, median, worst of 21", "  ".join(f"{late_ms[at]:.1f}" for at in (0, 10, 20)) + " ms")
    row("an empty tree is told of, median", late_ms[10], "ms", 50)


def stream(program, fakes, _count, gib=0.5):
    size = int(gib * (1 << 30))
    writer = fakes + "/flood_writer"
    plain_cpu = []

    def plain(folder):
        path = folder + "/plain"
        began, before = time.monotonic(), os.times()
        subprocess.run(f"{writer} {size} | cat >{path}", shell=True, check=True)
        seconds, after = time.monotonic() - began, os.times()
        plain_cpu.append(after.children_user + after.children_system - before.children_user - before.children_system)
        os.unlink(path)
        return seconds

    def kept(bench, name):
        path = f"{bench.root}/.labdeck/logs/{name}.log"
        bench.script(name, writer, str(size), log={"rotate": False})

        def on_disk():
            with contextlib.suppress(FileNotFoundError):
                return os.stat(path).st_size == size
            return False
        began = time.monotonic()
        bench.start_scripts([name])
        while not on_disk():
            assert time.monotonic() - began < 120, f"{name} is not on disk after two minutes"
            time.sleep(0.002)
        seconds = time.monotonic() - began
        # The screen may be behind by what the hub reads ahead; it is waited for all the same.
        bench.console.wait_report(
            lambda r: any(source["name"] == name and source["shownBytes"] == size for source in r["sources"]),
            "all of it on the screen", 60)
        bench.get("scripts.delete", id=name)
        os.unlink(path)
        return seconds

    with Display() as display, Bench(program, display, "logs") as bench:
        ratios = []
        plain(bench.root)
        kept(bench, "warm")
        cpu = Cpu(bench.hub.pid)
        for number in range(7):
            alone, together = plain(bench.root), kept(bench, f"flood-{number}")
            ratios.append(alone / together)
            note(f"stream {number}", f"cat {size / alone / 1e6:.0f} MB/s, Labdeck {size / together / 1e6:.0f} MB/s")
        # Much of both is what a page of memory costs here, see warmth in console_bench.py.
        spent = cpu.percent()
        seconds = time.monotonic() - cpu.began
        note("stream: CPU a run, writer and cat", f"{1000 * statistics.median(plain_cpu):.0f} ms")
        note("stream: CPU a run, Labdeck by thread",
             "  ".join(f"{name} {seconds * value / 100 / 7 * 1000:.0f}" for name, value in spent.items()
                       if value >= 0.5) + " ms")
    row("a stream to disk and screen, against cat", statistics.median(ratios), "times", 0.7, most=False)


def start_ms(keeper):
    """From spawn to the end of what a program says, with a keeper in between or without."""
    read_end, write_end = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, write_end, 1)]
    argv = ["true"]
    ours = keepers = None
    program = "/bin/true"
    if keeper:
        ours, keepers = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        actions.append((os.POSIX_SPAWN_DUP2, keepers.fileno(), 3))
        program, argv = keeper, ["labdeck-keeper", "/bin/true", "true"]
    began = time.monotonic()
    pid = os.posix_spawn(program, argv, os.environ, file_actions=actions, setsid=True)
    os.close(write_end)
    assert os.read(read_end, 1) == b""
    ms = (time.monotonic() - began) * 1000
    os.waitpid(pid, 0)
    os.close(read_end)
    for end in (ours, keepers):
        if end:
            end.close()
    return ms


def keeper_cost(program, _fakes, _count, keeper=None, starts=300):
    times = {way: [] for way in (None, keeper)}
    for _ in range(starts):
        for way, found in times.items():
            found.append(start_ms(way))
    plain, kept = (statistics.median(found) for found in times.values())
    note("a start: plain, through the keeper", f"{plain:.3f} ms  {kept:.3f} ms, medians of {starts}; at best "
         + "  ".join(f"{min(found):.3f} ms" for found in times.values()))
    row("what the keeper adds to a start", kept - plain, "ms", 3)
    with Bench(program) as bench:
        bench.start_scripts([bench.script("sleeper", "sleep", "100000")])
        time.sleep(1)
        (pid,) = bench.keepers()
        with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
            pss = next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        row("PSS of a keeper that is the only one", pss / 1024, "MiB", 2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("fakes")
    parser.add_argument("keeper")
    parser.add_argument("--scripts", type=int, default=200)
    parser.add_argument("--only", choices=ROWS)
    args = parser.parse_args()
    program, fakes, keeper = (os.path.abspath(path) for path in (args.program, args.fakes, args.keeper))
    note("load of the machine", " ".join(f"{load:.2f}" for load in os.getloadavg()) + f" on {os.cpu_count()} cores")
    looks = {"chatty": chatty, "idle": idle, "empty": empty, "stream": stream,
             "keeper": lambda *more: keeper_cost(*more, keeper=keeper)}
    for name in ROWS:
        if args.only in (None, name):
            looks[name](program, fakes, args.scripts)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
