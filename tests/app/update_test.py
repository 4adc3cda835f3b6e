#!/usr/bin/env python3
"""The program replaces itself from a feed, or refuses to: update_test.py PATH-OF-LABDECK MAKE-FEED [unittest options].

The program that is updated is a small one of a folder of its own, which hands over to the real one; so is the newer.
"""
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

from bench import Display, Workspace, wait_for

PROGRAM = MAKE_FEED = ""
NEWER = "97.1.0"


def stand_in(version):
    """Says that version of itself; else is the real program, with a mark on its environment."""
    return (f"#!/bin/sh\nif [ \"$1\" = --version ]; then echo {version}; exit; fi\n"
            f"LABDECK_STAND_IN={version} exec {PROGRAM} \"$@\"\n")


class Site(http.server.ThreadingHTTPServer):
    """The feed over HTTP, with ranges; `cut` ends an answer after so many bytes, once each."""

    def __init__(self, folder):
        self.folder, self.cut, self.asked = folder, [], []
        super().__init__(("127.0.0.1", 0), SiteAnswer)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *what):
        self.shutdown()
        super().__exit__(*what)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"


class SiteAnswer(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.asked.append((self.path, asked))
        file = pathlib.Path(self.server.folder, self.path.lstrip("/"))
        if not file.is_file():
            self.send_error(404)
            return
        data, start = file.read_bytes(), 0
        if asked:
            start = int(asked.removeprefix("bytes=").split("-")[0])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        body = data[start:]
        if file.suffix != ".json" and self.server.cut:
            body = body[:self.server.cut.pop(0)]
        self.wfile.write(body)


class Bench(Workspace):
    """A hub whose program lies alone in a folder, and a feed for it."""

    def __init__(self):
        # A folder of its own for the program: it is replaced there.
        self.home = tempfile.mkdtemp(prefix="labdeck-update-")
        self.installed = self.home + "/labdeck"
        shutil.copy(PROGRAM, self.installed)
        super().__init__(self.installed)
        self.feed = self.home + "/feed"
        self.key = self.home + "/feed.key"
        self.public = self.make("keygen", self.key).strip()

    def __exit__(self, *what):
        try:
            super().__exit__(*what)
        finally:
            shutil.rmtree(self.home)

    @staticmethod
    def make(*words):
        return subprocess.run([MAKE_FEED, *words], check=True, capture_output=True, text=True).stdout

    def offer(self, version=NEWER, text=None):
        program = pathlib.Path(self.home, "built")
        program.write_text(text or stand_in(version), encoding="utf-8")
        program.chmod(0o755)
        self.make("add", self.feed, str(program), "--key", self.key, "--version", version, "--notes", "All new.")

    def follow(self, url=None):
        self.call("settings.update", updateFeed=url or f"file://{self.feed}", updatePublicKey=self.public)

    def types(self, line, last):
        """The kinds of `updates` events up to the first `last`, repetitions taken out."""
        seen = []
        while not seen or seen[-1] != last:
            message = line.hear()
            if message.get("event") == "updates" and (not seen or seen[-1] != message["params"]["type"]):
                seen.append(message["params"]["type"])
        return seen

    def served_by(self, pid):
        """The version of the stand-in that this process has come from; None for the first program."""
        words = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        for word in words:
            if word.startswith(b"LABDECK_STAND_IN="):
                return word.partition(b"=")[2].decode()
        return None


class Updates(unittest.TestCase):
    def test_the_program_is_replaced_and_started_again_in_its_own_process(self):
        with Bench() as bench:
            hub = bench.serve()
            bench.offer()
            bench.follow()
            bench.call("scripts.create", id="s", name="s", command="sleep 1000", autoStart=True)
            with bench.connect() as line:
                line.ask('{"id":"1","method":"events.subscribe","params":{"topics":["updates"]}}')
                self.assertEqual(bench.call("updates.check"), {"ok": True})
                self.assertEqual(bench.types(line, "available"), ["available"])
                self.assertEqual(bench.call("updates.download"), {"ok": True})
                self.assertEqual(bench.types(line, "downloaded"), ["progress", "downloaded"])
            info = bench.call("updates.status")
            self.assertEqual((info["state"], info["info"]["version"], info["info"]["notes"]),
                             ("downloaded", NEWER, "All new."))
            bench.call("process.start", id="s")
            before = wait_for(lambda: bench.call("process.snapshot", id="s").get("pid"), "the script")
            self.assertIsNone(bench.call("updates.quitAndInstall"))
            wait_for(lambda: bench.served_by(hub.pid) == NEWER, "the new program in the old one's process")

            def answers():
                done = bench.run_call("process.snapshot", "id=s")
                return json.loads(done.stdout).get("pid") if done.returncode == 0 else None
            after = wait_for(answers, "the script under the new hub")
            self.assertNotEqual(before, after)
            self.assertIsNone(hub.poll())
            self.assertEqual(pathlib.Path(bench.installed + ".previous").read_bytes(),
                             pathlib.Path(PROGRAM).read_bytes())
            self.assertEqual(sorted(name for name in os.listdir(bench.home) if "labdeck" in name),
                             ["labdeck", "labdeck.previous"])
            hub.terminate()
            self.assertEqual(hub.wait(20), 0)

    def test_over_http_a_broken_download_goes_on_by_itself_and_after_the_hub_was_killed(self):
        with Bench() as bench:
            text = stand_in(NEWER) + "#" * 3_000_000
            bench.offer(text=text)
            with Site(bench.feed) as site:
                hub = bench.serve()
                bench.follow(site.url)
                # Four times without a byte, and it is given up; what came first is kept.
                site.cut = [1_000_000, 0, 0, 0, 0, 0, 0, 0]
                answer = bench.call("updates.download")
                self.assertFalse(answer["ok"])
                self.assertIn(f"1000000 of {len(text)} bytes are here", answer["error"])
                hub.kill()
                hub.wait()
                bench.serve()
                wait_for(lambda: bench.run_call("process.ping").returncode == 0, "the next hub")
                site.cut, site.asked = [700_000], []
                self.assertEqual(bench.call("updates.download"), {"ok": True})
                self.assertEqual([one[1] for one in site.asked if one[1]], ["bytes=1000000-", "bytes=1700000-"])

    def test_what_is_wrong_is_refused_and_the_old_program_runs_on(self):
        with Bench() as bench:
            hub = bench.serve()
            self.assertIn("no feed is set", bench.call("updates.check")["error"])
            bench.offer()
            bench.follow()
            manifest = pathlib.Path(bench.feed, "manifest.json")
            program = pathlib.Path(bench.feed, f"labdeck-{NEWER}-linux-{os.uname().machine}")
            good_manifest, good = manifest.read_text(), program.read_text()

            def refused(says, method="updates.download"):
                answer = bench.call(method)
                self.assertFalse(answer["ok"])
                self.assertIn(says, answer["error"])
                self.assertEqual(bench.run_call("updates.quitAndInstall").returncode, 1)
                self.assertEqual(pathlib.Path(bench.installed).read_bytes(), pathlib.Path(PROGRAM).read_bytes())

            program.write_text(good.replace("97.1.0", "97.1.1"))
            refused("is not what the feed has signed")
            program.write_text(good[:-5])
            refused("bytes are here")
            program.write_text(good + "# more")
            refused("goes on beyond")
            program.unlink()
            refused("labdeck-97.1.0")
            program.write_text(good)
            manifest.write_text(good_manifest.replace(NEWER, "98.0.0"))
            refused("signature", "updates.check")
            manifest.write_text("{")
            refused("manifest.json", "updates.check")
            manifest.write_text(good_manifest)
            bench.call("settings.update", updatePublicKey=bench.make("keygen", bench.home + "/other").strip())
            refused("signature")
            bench.follow()
            # Signed by the right key, but older, or not what it says, or unable to run.
            manifest.unlink()
            bench.offer("0.0.1")
            refused("nothing older takes its place")
            for text, says in ((stand_in("1.2.3"), "says that it is"), ("#!/no/such/shell\n", "No such file"),
                               ("#!/bin/sh\nexit 1\n", "it ends with exit 1")):
                bench.offer(text=text)
                self.assertEqual(bench.call("updates.download"), {"ok": True})
                done = bench.run_call("updates.quitAndInstall")
                self.assertEqual(done.returncode, 1)
                self.assertIn(says, done.stderr)
                self.assertEqual(pathlib.Path(bench.installed).read_bytes(), pathlib.Path(PROGRAM).read_bytes())
            self.assertIsNone(hub.poll())
            self.assertIsNone(bench.served_by(hub.pid))
            self.assertEqual(bench.call("process.ping"), "pong")

    def test_a_bad_setting_is_refused_by_name(self):
        with Bench() as bench:
            bench.serve()
            for key, value in (("updateFeed", "http://example.org/"), ("updateFeed", "https://a:b@example.org/"),
                               ("updatePublicKey", "short"), ("updateChannel", "Not One")):
                done = bench.run_call("settings.update", json.dumps({key: value}))
                self.assertEqual(done.returncode, 1)
                self.assertIn(key, done.stderr)
            self.assertNotIn("updateFeed", bench.call("settings.get"))
            bench.call("settings.update", updateFeed="https://example.org/", updateChannel="beta")
            bench.call("settings.update", updateFeed=None)
            self.assertEqual(bench.call("settings.get"), {"updateChannel": "beta"})

    def test_the_window_ends_and_comes_again(self):
        with Bench() as bench, Display() as display:
            window = bench.start("console", env={**display.env, "LIBGL_ALWAYS_SOFTWARE": "1"},
                                 stderr=subprocess.DEVNULL)
            wait_for(lambda: os.path.exists(bench.socket_path), "the hub's socket")
            bench.offer()
            bench.follow()
            self.assertEqual(bench.call("updates.download"), {"ok": True})
            self.assertIsNone(bench.call("updates.quitAndInstall"))
            wait_for(lambda: bench.served_by(window.pid) == NEWER, "the new program in the old one's process")
            wait_for(lambda: bench.run_call("process.ping").returncode == 0, "the new hub")

            def shown():
                with contextlib.suppress(subprocess.CalledProcessError):
                    return display.xdotool("search", "--onlyvisible", "--name", "Labdeck")
            wait_for(shown, "its window")
            window.terminate()
            self.assertEqual(window.wait(20), 0)


if __name__ == "__main__":
    PROGRAM, MAKE_FEED = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
    unittest.main(verbosity=2)
