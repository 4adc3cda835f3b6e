#!/usr/bin/env python3
"""What the console costs: console_bench.py PATH-OF-LABDECK FLOOD-WRITER [--flood GIB]

Under Xvfb at 1920x1080 on software GL:
  frame    the full demo, NewFrame to Render on the window's thread, p50         limit 1.5 ms
  idle     a window whose bench is stopped, sampling once a second               limit 1 % of a core
  warmth   not ours: what a page of memory costs that was touched a second ago. On a machine of one's own under
           0.2 us; where a host takes memory back in the meantime, a hundred times that, and then idle and start
           say more about the host than about the console
  serve    a hub without a window, bench stopped                                 limit 0.3 % of a core
  start    process CPU from exec to the first frame                              limit 300 ms
  texts    text without a newline, text of a million lines: p99 of frames' CPU
  flood    a child that writes GIB GiB of lines: loss, p99 of frames' CPU, memory, click to wire, data age
"""
import argparse
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "app"))
from bench import Console, Display, Workspace, cpu_seconds, wait_for  # noqa: E402

SIMULATORS = ("plc-simulator", "ble-simulator", "bridge")
failed = []


def row(name, value, unit, limit):
    good = value <= limit
    if not good:
        failed.append(name)
    print(f"{name:<34} {value:9.3f} {unit:<14} limit {limit:g}  {'ok' if good else 'OVER'}", flush=True)


def stop_bench(bench):
    for app in reversed(SIMULATORS):
        bench.wait_app(app, running=True)
        bench.call("action.run", appId=app, actionName="run_stop", args={})
        bench.wait_app(app, running=False)


def cpu_percent(pid, seconds):
    before, start = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return 100 * (cpu_seconds(pid) - before) / (time.monotonic() - start)


def rss_mib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0


def frames(program):
    with Display() as display, Workspace(program) as bench:
        console = Console(bench, display, "--demo")
        for app in SIMULATORS:
            bench.wait_app(app, running=True)
        report = console.wait_report(lambda r: r["frames"] > 600 and r, "600 frames", 120)
        row("frame of the full demo, p50", report["frameCpuMs"]["p50"], "ms CPU", 1.5)
        row("start to first frame", report["firstFrameProcessCpuMs"], "ms CPU", 300)


def warmth():
    """Microseconds of CPU for the first touch of a page that was last touched a second ago, the median of five."""
    pages = bytearray(16 << 20)
    costs = []
    for _ in range(6):
        time.sleep(1)
        begin = time.thread_time_ns()
        for at in range(0, len(pages), 4096):
            pages[at] ^= 1
        costs.append((time.thread_time_ns() - begin) / (len(pages) / 4096) / 1000)
    print(f"{'a page touched a second ago':<34} {sorted(costs[1:])[2]:9.3f} us CPU", flush=True)


def idle(program):
    warmth()
    with Display() as display, Workspace(program) as bench:
        console = Console(bench, display, "--demo", report=False)
        stop_bench(bench)
        time.sleep(65)  # Until the charts' minute shows a bench at rest.
        row("idle window", cpu_percent(console.process.pid, 30), "% of a core", 1)


def serve(program):
    with Workspace(program) as bench:
        hub = bench.serve("--demo")
        stop_bench(bench)
        time.sleep(2)
        row("serve, idle", cpu_percent(hub.pid, 30), "% of a core", 0.3)


def flood(program, writer, gib):
    size = int(gib * (1 << 30))
    spec = {"cables": [{"name": "plc", "a": "plc-sim", "b": "plc-bridge"}],
            "providers": [{"name": "simulators", "apps": ["plc-simulator"]}],
            "commands": [{"name": "flood", "command": [writer, str(size)]}]}
    with Display() as display, Workspace(program, spec) as bench:
        os.mkdir(bench.root + "/config")
        config = {"port": ".labdeck/dev/plc-sim", "autoStart": True}
        pathlib.Path(bench.root, "config", "plc-simulator.json").write_text(json.dumps(config), encoding="utf-8")
        start = time.monotonic()
        console = Console(bench, display, "--layout", "1x4")
        found = {}

        def look(report):
            source = next((s for s in report["sources"] if s["name"] == "flood"), None)
            if source is None:
                return None
            found["rss"] = max(found.get("rss", 0), rss_mib(console.process.pid))
            stamp = source["newestRow"].split(" ")
            if len(stamp) > 1 and source["shownBytes"] < size:
                age_ms = (source["presentedNs"] - int(stamp[1])) / 1e6
                found.setdefault("ages", []).append(abs(age_ms - source["shownAgeMs"]))
            if source["bytes"] > size / 4 and "click" not in found:
                console.click("simulators/plc-simulator/run_stop")
                found["click"] = True
            return source if source["shownBytes"] == size else None

        source = console.wait_report(look, "the whole flood", 60 + 60 * gib)
        seconds = time.monotonic() - start
        bench.wait_app("plc-simulator", running=False)
        report = console.wait_report(lambda r: r["clickToWireMs"] >= 0 and r, "the click")
        stats = bench.stats("flood")
        row(f"flood of {gib:g} GiB: bytes lost", size - stats["bytes"] + stats["drops"], "bytes", 0)
        row("flood: lines lost", size // 64 - stats["lines"], "lines", 0)
        row("flood: lines lost in the window", size // 64 - source["shownLines"], "lines", 0)
        row("flood: frame CPU, p99", report["frameCpuMs"]["p99"], "ms CPU", 16.7)
        row("flood: click to wire", report["clickToWireMs"], "ms", 100)
        if found.get("ages"):
            row("flood: data age against the stamp", max(found["ages"]), "ms off", 50)
        row("flood: resident memory", found["rss"], "MiB", 700)
        print(f"{'':<34} {size / seconds / 1e9:9.3f} GB/s through the window")


def texts(program, writer):
    """Text that a tool which lays out whole lines, or all lines, would choke on, while more of it comes."""
    commands = {
        "4 GiB without a newline": [writer, str(4 << 30), "none"],
        "a million lines": ["sh", "-c", "seq 1000000; while sleep 0.02; do echo more; done"],
    }
    for name, command in commands.items():
        with Display() as display, Workspace(program, {"commands": [{"name": "text", "command": command}]}) as bench:
            console = Console(bench, display, "--layout", "1x4")
            report = console.wait_report(lambda r: r["frames"] > 150 and r, f"150 frames of {name}", 120)
            row(f"{name}: frame CPU, p99", report["frameCpuMs"]["sinceStart"]["p99"], "ms CPU", 16.7)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("writer")
    parser.add_argument("--flood", type=float, default=10, help="GiB")
    parser.add_argument("--only", choices=["frames", "idle", "serve", "flood", "texts"])
    args = parser.parse_args()
    program, writer = os.path.abspath(args.program), os.path.abspath(args.writer)
    if args.only in (None, "frames"):
        frames(program)
    if args.only in (None, "idle"):
        idle(program)
    if args.only in (None, "serve"):
        serve(program)
    if args.only in (None, "flood"):
        flood(program, writer, args.flood)
    if args.only in (None, "texts"):
        texts(program, writer)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
