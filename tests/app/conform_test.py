#!/usr/bin/env python3
"""labdeck conform on good and on wrong providers: conform_test.py PATH-OF-LABDECK [unittest options]."""
import ast
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = ""
ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = [sys.executable, str(ROOT / "scripts/example_provider.py")]
PATIENCE_S = 120

# A fault of tests/fakes/wrong_provider.py, and the check that must name it.
WRONG = {
    "integer-ids-as-text": "an integer id comes back as an integer",
    "error-without-code": "an answer has id, ok, and either a response or an error",
    "every-answer-twice": "nothing is answered twice or unasked",
    "no-boot-id": "dummy-load: status.get has every required field in its type",
    "blocking-invoke": "dummy-load: action.invoke returns within 50 ms",
    "other-interface": "ping answers pong, the interface's name and its version",
    "two-final-states": "dummy-load: job.changed tells one final state a job",
    "takes-any-config": "dummy-load: a config value of a wrong type is E_CONFIG_INVALID and the file stays as it was",
    "hangs-on-config": "dummy-load: config.get has every required field in its type",
    "floods": "stdout carries messages alone",
    "dies-on-bad-line": "a line that is no JSON is E_BAD_ARG with the id null",
    "loses-requests": "2,000 pipelined requests are all answered",
    "answers-notifications": "a notification is not answered",
    "early-events": "no event comes before events.subscribe",
    "outlives-its-input": "the end of stdin ends it with exit 0",
    "mute": "ping answers pong, the interface's name and its version",
}


class Tap:
    """The output of labdeck conform, read."""

    def __init__(self, folder, *words):
        began = time.monotonic()
        self.done = subprocess.run([PROGRAM, "conform", *words], cwd=folder, capture_output=True, text=True,
                                   check=False, timeout=PATIENCE_S)
        self.seconds = time.monotonic() - began
        self.lines = self.done.stdout.splitlines()
        found = [re.match(r"(not )?ok (\d+) - (.*?)(?: # SKIP (.*))?$", line) for line in self.lines]
        self.points = [match for match in found if match]
        self.failed = [match[3] for match in self.points if match[1]]
        self.skipped = [match[3] for match in self.points if match[4]]


class GoodProviders(unittest.TestCase):
    def check_tap(self, tap):
        self.assertEqual(tap.lines[0], "TAP version 14")
        self.assertEqual([int(point[2]) for point in tap.points], list(range(1, len(tap.points) + 1)))
        self.assertIn(f"1..{len(tap.points)}", tap.lines)

    def test_the_example_in_python_passes_wholly(self):
        with tempfile.TemporaryDirectory() as folder:
            tap = Tap(folder, "--", *EXAMPLE)
            self.assertEqual((tap.failed, tap.skipped, tap.done.returncode), ([], [], 0))
            self.check_tap(tap)
            self.assertGreaterEqual(len(tap.points), 60)
            self.assertEqual(os.listdir(folder), [], "conform leaves no file behind")

    def test_the_example_is_short_and_needs_nothing_but_the_standard_library(self):
        text = (ROOT / "scripts/example_provider.py").read_text(encoding="utf-8")
        self.assertLess(len(text.splitlines()), 100)
        imported = [name.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import) for name in node.names]
        self.assertEqual([name for name in imported if name.split(".")[0] not in sys.stdlib_module_names], [])
        self.assertFalse([node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)])

    def test_every_app_of_labdeck_passes(self):
        with tempfile.TemporaryDirectory() as folder:
            tap = Tap(folder, "--", PROGRAM, "provider")
            self.assertEqual((tap.failed, tap.done.returncode), ([], 0))
            self.check_tap(tap)
            self.assertEqual(os.listdir(folder), [], "conform leaves no file behind")

    def test_settings_are_put_back_to_the_byte(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "config", "dummy-load.json")
            file.parent.mkdir()
            text = '{ "currentMa":700,\n\n  "of somebody else": [1,  2] }'
            file.write_text(text, encoding="utf-8")
            tap = Tap(folder, "--", *EXAMPLE)
            self.assertEqual((tap.failed, tap.done.returncode), ([], 0))
            self.assertEqual(file.read_text(encoding="utf-8"), text)

    def test_app_narrows_the_checks_to_one(self):
        with tempfile.TemporaryDirectory() as folder:
            tap = Tap(folder, "--app", "plc-simulator", "--", PROGRAM, "provider")
            self.assertEqual((tap.failed, tap.done.returncode), ([], 0))
            self.assertFalse([point[3] for point in tap.points if point[3].startswith("bridge")])


class WrongProviders(unittest.TestCase):
    def test_each_fails_the_check_that_names_its_fault(self):
        for fault, check in WRONG.items():
            with self.subTest(fault=fault), tempfile.TemporaryDirectory() as folder:
                tap = Tap(folder, "--timeout", "1", "--", sys.executable, str(ROOT / "tests/fakes/wrong_provider.py"), fault)
                self.assertEqual(tap.done.returncode, 1, tap.done.stdout[-2000:])
                self.assertIn(check, tap.failed)
                self.assertLess(tap.seconds, 90)

    def test_a_failure_says_what_was_sent_expected_and_received(self):
        with tempfile.TemporaryDirectory() as folder:
            tap = Tap(folder, "--", sys.executable, str(ROOT / "tests/fakes/wrong_provider.py"), "no-boot-id")
            at = next(i for i, line in enumerate(tap.lines) if line.startswith("not ok"))
            block = tap.lines[at + 1:tap.lines.index("  ...", at)]
            self.assertEqual(block[0], "  ---")
            for key in ("expected", "came", "sent", "received"):
                self.assertTrue(any(line.startswith(f"  {key}:") for line in block), key)

    def test_a_mute_one_is_given_up_after_three_checks_and_the_rest_fails_unasked(self):
        with tempfile.TemporaryDirectory() as folder:
            whole = Tap(folder, "--", *EXAMPLE)
            mute = Tap(folder, "--timeout", "0.5", "--", sys.executable, str(ROOT / "tests/fakes/wrong_provider.py"), "mute")
            unasked = [name for name in mute.failed if name.endswith(" # the provider does not answer")]
            self.assertEqual(mute.done.returncode, 1)
            self.assertEqual(len(mute.failed) - len(unasked), 3)
            self.assertEqual(len(mute.failed), len(mute.points))
            self.assertEqual(len(mute.points), len(whole.points), "each check is counted")
            self.assertIn(f"1..{len(mute.points)}", mute.lines)

    def test_one_that_hangs_on_some_questions_alone_is_asked_the_others(self):
        with tempfile.TemporaryDirectory() as folder:
            tap = Tap(folder, "--timeout", "1", "--", sys.executable, str(ROOT / "tests/fakes/wrong_provider.py"),
                      "hangs-on-config")
            self.assertFalse([name for name in tap.failed if "does not answer" in name])
            self.assertIn("dummy-load: action.list names its actions, each once",
                          [point[3] for point in tap.points if not point[1]])

    def test_nobody_to_talk_to_is_told_apart(self):
        with tempfile.TemporaryDirectory() as folder:
            for command in (["/no/such/program"], ["/bin/true"]):
                with self.subTest(command=command):
                    tap = Tap(folder, "--", *command)
                    self.assertEqual(tap.done.returncode, 3)
                    self.assertTrue(any(line.startswith("Bail out!") for line in tap.lines))
            self.assertEqual(Tap(folder).done.returncode, 2)
            self.assertEqual(Tap(folder, "--timeout", "soon", "--", "/bin/true").done.returncode, 2)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
