#!/usr/bin/env python3
"""The real window under Xvfb: window_test.py PATH-OF-LABDECK FLOOD-WRITER [unittest options]."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from bench import Console, Display, Workspace, wait_for

PROGRAM = ""
FLOOD = ""


class DesktopBus:
    """A session bus of our own, where nobody shows notices, and what is said on it."""

    def __enter__(self):
        self.daemon = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1"],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.env = {"DBUS_SESSION_BUS_ADDRESS": self.daemon.stdout.readline().strip()}
        self.said = tempfile.NamedTemporaryFile(mode="r", prefix="labdeck-bus-")
        self.monitor = subprocess.Popen(["dbus-monitor", "--session", "interface=org.freedesktop.Notifications"],
                                        env={**os.environ, **self.env}, stdout=self.said.file)
        wait_for(lambda: "NameAcquired" in open(self.said.name).read(), "the monitor")
        return self

    def __exit__(self, *_):
        for process in (self.monitor, self.daemon):
            process.terminate()
            process.wait()
        self.daemon.stdout.close()
        self.said.close()

    def shown(self):
        """Titles and texts; those are the third and fourth string of a call of Notify."""
        calls = open(self.said.name).read().split("member=Notify")[1:]
        return [tuple(re.findall(r'string "(.*)"', call)[2:4]) for call in calls]


class Window(unittest.TestCase):
    def test_a_click_stops_and_starts_a_simulator_in_its_process_and_on_the_wire(self):
        with Display() as display, Workspace(PROGRAM) as bench:
            console = Console(bench, display, "--demo", "--panel", "simulators")
            bench.wait_app("plc-simulator", running=True)
            bench.wait_app("bridge", running=True)
            console.click("simulators/plc-simulator/run_stop")
            bench.wait_app("plc-simulator", running=False)
            silent = bench.stats("plc-sim > plc-bridge")["bytes"]
            time.sleep(0.5)
            self.assertEqual(bench.stats("plc-sim > plc-bridge")["bytes"], silent)
            console.click("simulators/plc-simulator/run_start")
            bench.wait_app("plc-simulator", running=True)
            wait_for(lambda: bench.stats("plc-sim > plc-bridge")["bytes"] > silent, "answers on the wire")
            self.assertGreater(console.report()["clickToWireMs"], 0)

    def test_what_is_on_the_screen_is_whole_after_the_window_got_another_size(self):
        with Display() as display, Workspace(PROGRAM) as bench:
            console = Console(bench, display, "--layout", "1x1", "--panel", "logs")
            console.wait_report(lambda r: r["frames"] > 3 and r, "frames")
            window = display.xdotool("search", "--sync", "--class", "labdeck").split()[-1]

            def at_rest(height):
                """The rows above the status line, when two looks in a row find the same."""
                last = [None]

                def same():
                    last.append(display.rows()[:height - 40])
                    time.sleep(0.3)
                    return last[-1] if last[-1] == last[-2] else None
                return wait_for(same, "a picture at rest")

            for width, height in ((1920, 1080), (1100, 700), (1500, 1000), (1920, 1080)):
                display.xdotool("windowsize", "--sync", window, width, height)
                time.sleep(1.5)
                found = at_rest(height)
                # A window that comes back is drawn anew as a whole.
                display.xdotool("windowunmap", "--sync", window)
                display.xdotool("windowmap", "--sync", window)
                time.sleep(1.5)
                whole = at_rest(height)
                self.assertEqual([y for y in range(height - 40) if found[y][:4 * width] != whole[y][:4 * width]], [])

    def test_the_bench_moves_on_the_screen(self):
        with Display() as display, Workspace(PROGRAM) as bench:
            console = Console(bench, display, "--demo")
            bench.wait_app("bridge", running=True)
            first = console.wait_report(lambda r: r["frames"] > 20 and r, "frames")
            console.wait_report(lambda r: r["frames"] > first["frames"] + 20, "more frames")

    def test_a_killed_provider_shows_within_a_second_and_comes_back(self):
        with Display() as display, Workspace(PROGRAM) as bench:
            console = Console(bench, display, "--demo")

            def app(report):
                return next((a for a in report["apps"] if a["id"] == "plc-simulator"), None)

            console.wait_report(lambda r: app(r) and app(r)["providerState"] == "up", "the provider")
            host = bench.wait_app("plc-simulator", running=True)["hostPid"]
            killed_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            os.kill(host, signal.SIGKILL)
            down = console.wait_report(lambda r: app(r)["bannerSinceNs"] > killed_ns and app(r), "the banner")
            self.assertLess(down["bannerSinceNs"] - killed_ns, 1_000_000_000)
            console.wait_report(lambda r: app(r)["providerState"] == "up" and not app(r)["banner"], "its return")
            self.assertNotEqual(bench.wait_app("plc-simulator", running=True)["hostPid"], host)

    def test_a_window_can_begin_minimized(self):
        with Display() as display, Workspace(PROGRAM) as bench:
            hub = bench.serve()
            bench.call("settings.update", startMinimized=True)
            hub.terminate()
            hub.wait(30)
            # Without a window manager nobody minimizes it, but everybody sees that it asks.
            with subprocess.Popen(["xev", "-root", "-event", "substructure"], env={**os.environ, **display.env},
                                  stdout=subprocess.PIPE, text=True) as watch:
                window = bench.start("console", env={**display.env, "LIBGL_ALWAYS_SOFTWARE": "1"})
                self.assertTrue(any("WM_CHANGE_STATE" in line for line in watch.stdout))
                watch.terminate()
            window.terminate()
            self.assertEqual(window.wait(30), 0)

    def test_a_script_that_fails_is_told_on_the_desktop_when_the_settings_say_so(self):
        with Display() as display, Workspace(PROGRAM) as bench, DesktopBus() as desktop:
            window = bench.start("console", env={**display.env, **desktop.env, "LIBGL_ALWAYS_SOFTWARE": "1"})
            wait_for(lambda: os.path.exists(bench.socket_path), "the hub's socket")
            bench.call("scripts.create", id="a", name="adapter", command="sh -c 'sleep 0.3; exit 3'")
            bench.call("process.start", id="a")
            wait_for(lambda: bench.call("process.snapshot", id="a")["status"] == "failed", "its end")
            time.sleep(1)
            self.assertEqual(desktop.shown(), [])
            bench.call("settings.update", notificationsNativeEnabled=True)
            bench.call("scripts.create", id="b", name="bridge", command="sh -c 'sleep 0.3; exit 4'")
            bench.call("process.start", id="b")
            seen = wait_for(desktop.shown, "the notice")
            self.assertIn(("bridge failed", "exit 4"), seen)
            window.terminate()
            self.assertEqual(window.wait(30), 0)

    def test_closing_the_window_ends_the_bench(self):
        with Display() as display, Workspace(PROGRAM) as bench:
            console = Console(bench, display, "--demo")
            host = bench.wait_app("plc-simulator", running=True)["hostPid"]
            console.wait_report(lambda r: r["frames"] > 5, "frames")
            console.process.send_signal(signal.SIGTERM)
            self.assertEqual(console.process.wait(15), 0)
            self.assertFalse(os.path.exists(f"/proc/{host}"))
            self.assertFalse(os.path.exists(bench.socket_path))

    def test_under_a_flood_nothing_is_lost_and_the_age_is_right(self):
        size = 1 << 30
        spec = {"cables": [{"name": "plc", "a": "plc-sim", "b": "plc-bridge"}],
                "providers": [{"name": "simulators", "apps": ["plc-simulator"]}],
                "commands": [{"name": "flood", "command": [FLOOD, str(size)]}]}
        with Display() as display, Workspace(PROGRAM, spec) as bench:
            os.mkdir(bench.root + "/config")
            with open(bench.root + "/config/plc-simulator.json", "w", encoding="utf-8") as config:
                config.write('{"port": ".labdeck/dev/plc-sim", "autoStart": true}')
            console = Console(bench, display, "--layout", "1x4")
            last = f"{size // 64 - 1:012} "

            def whole(report):
                # A report may fall between the taking of the last rows and the frame that shows them.
                return next((s for s in report["sources"] if s["name"] == "flood" and s["shownBytes"] == size
                             and s["newestRow"].startswith(last)), None)

            flood = console.wait_report(whole, "the whole flood, to the last row that was written", 120)
            self.assertEqual(flood["shownLines"], size // 64)
            # The badge is as old as the stamp in the row says.
            stamp = flood["newestRow"].split(" ")[1]
            self.assertLess(abs((flood["presentedNs"] - int(stamp)) / 1e6 - flood["shownAgeMs"]), 50)
            self.assertEqual(console.report()["lostBytes"], 0)
            stats = bench.stats("flood")
            self.assertEqual((stats["bytes"], stats["lines"], stats["drops"]), (size, size // 64, 0))


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    FLOOD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
