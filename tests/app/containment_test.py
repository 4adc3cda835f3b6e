#!/usr/bin/env python3
"""What a provider or a client does wrong stays with it: containment_test.py PATH-OF-LABDECK [unittest options]."""
import json
import os
import pathlib
import signal
import sys
import time
import unittest

from bench import Workspace, process_gone, wait_for

PROGRAM = ""
FAKE = str(pathlib.Path(__file__).resolve().parents[1] / "fakes/provider.py")
PROMPT_S = 1.0  # A call that is not held up takes milliseconds; a busy machine may need more.


def fake(mode, app="fake", **more):
    return {"name": app + "s", "apps": [app], "command": [sys.executable, FAKE, mode, app], **more}


def with_neighbour(mode):
    return {"providers": [fake(mode), fake("plain", "good")]}


class Bench(Workspace):
    """A hub that serves, and a line to it."""

    def __init__(self, spec):
        super().__init__(PROGRAM, spec)

    def __enter__(self):
        super().__enter__()
        self.hub = self.serve()
        self.line = self.connect()
        return self

    def __exit__(self, *what):
        self.line.__exit__()
        super().__exit__(*what)

    def ask(self, method, **params):
        """The whole answer, and how long it took."""
        began = time.monotonic()
        answer = self.line.ask(json.dumps({"id": 1, "method": method, "params": params}))
        return answer, time.monotonic() - began

    def app(self, name):
        return next(row for row in self.ask("app.list")[0]["response"]["apps"] if row["appId"] == name)

    def wait_state(self, app, state):
        return wait_for(lambda: (lambda row: row if row["providerState"] == state else None)(self.app(app)), f"{app} {state}")

    def log(self):
        rows = self.ask("source.list")[0]["response"]["sources"]
        log = next(row["sourceId"] for row in rows if row["name"] == "labdeck")
        return [row["text"] for row in self.ask("source.tail", sourceId=log, lines=1000)[0]["response"]["lines"]]

    def wait_log(self, text):
        return wait_for(lambda: [row for row in self.log() if text in row], f"a log line with {text!r}")


class Providers(unittest.TestCase):
    def assert_neighbour_answers(self, bench, times=20):
        bench.wait_state("good", "up")
        for _ in range(times):
            answer, seconds = bench.ask("status.get", appId="good")
            self.assertTrue(answer["ok"], answer)
            self.assertLess(seconds, PROMPT_S)

    def test_a_slow_one_holds_up_nobody(self):
        with Bench(with_neighbour("slow")) as bench:
            bench.wait_state("fake", "up")
            with bench.connect() as other:
                other.say('{"id":"slow","method":"status.get","params":{"appId":"fake"}}\n')
                began = time.monotonic()
                self.assert_neighbour_answers(bench)
                answer = other.hear()
                self.assertTrue(answer["ok"])
                self.assertGreater(time.monotonic() - began, 1)

    def test_one_that_answers_nothing_is_named_and_its_requests_end(self):
        with Bench(with_neighbour("silent")) as bench:
            bench.wait_state("fake", "up")
            with bench.connect() as other:
                other.say('{"id":"lost","method":"status.get","params":{"appId":"fake"}}\n')
                self.assert_neighbour_answers(bench)
                self.assertEqual(other.hear()["error"]["code"], "E_TIMEOUT")
            bench.wait_log("provider fakes did not answer status.get in time")

    def test_a_flood_of_rubbish_is_named_once_a_second(self):
        with Bench(with_neighbour("flood")) as bench:
            bench.wait_log("provider fakes wrote no message")
            began = time.monotonic()
            self.assert_neighbour_answers(bench)
            time.sleep(2)
            told = [row for row in bench.log() if "wrote no message" in row]
            self.assertLess(len(told), 5 + time.monotonic() - began)
            self.assertGreater(bench.app("fake")["badLines"], 1000)
            self.assertEqual(bench.app("good")["badLines"], 0)

    def test_a_flood_of_events_reaches_subscribers_and_holds_up_nobody(self):
        with Bench(with_neighbour("flood-events")) as bench:
            bench.wait_state("fake", "up")
            self.assert_neighbour_answers(bench)

    def test_17_mib_without_a_newline_is_named(self):
        with Bench(with_neighbour("giant")) as bench:
            bench.wait_log("a line beyond 16 MiB")
            self.assert_neighbour_answers(bench)
            self.assertEqual(bench.app("fake")["badLines"], 1)

    def test_one_that_is_asked_without_end_stays_up_and_the_asker_is_refused(self):
        with Bench(with_neighbour("plain")) as bench:
            bench.wait_state("fake", "up")
            pid = bench.ask("status.get", appId="fake")[0]["response"]["pid"]
            os.kill(pid, signal.SIGSTOP)
            try:
                with bench.connect() as asker:
                    padding = "x" * 4000
                    asked, codes = 20_000, {}
                    for first in range(0, asked, 500):
                        asker.say("".join(json.dumps({"id": n, "method": "status.get",
                                                      "params": {"appId": "fake", "note": padding}}) + "\n"
                                          for n in range(first, first + 500)))
                    refused = 0
                    while refused < asked - 16 * (1 << 20) // 4000 - 500:
                        answer = asker.hear()
                        self.assertEqual(answer["error"]["code"], "E_QUEUE_FULL")
                        refused += 1
                    self.assert_neighbour_answers(bench)
                    os.kill(pid, signal.SIGCONT)
                    for _ in range(asked - refused):
                        answer = asker.hear()
                        codes[answer["ok"] or answer["error"]["code"]] = True
                    self.assertIn(True, codes)
            finally:
                os.kill(pid, signal.SIGCONT)
            self.assertEqual(bench.ask("status.get", appId="fake")[0]["response"]["pid"], pid)

    def test_half_a_line_disturbs_nobody(self):
        with Bench(with_neighbour("half")) as bench:
            bench.wait_state("fake", "up")
            self.assert_neighbour_answers(bench)
            # What it says next is the rest of that line, and no message.
            with bench.connect() as other:
                other.say('{"id":1,"method":"status.get","params":{"appId":"fake"}}\n')
                bench.wait_log("provider fakes wrote no message")

    def test_another_interface_or_major_version_is_refused_by_name(self):
        for mode, words in (("other-interface", "another-interface"), ("other-version", "version 2")):
            with self.subTest(mode=mode), Bench(with_neighbour(mode)) as bench:
                row = bench.wait_state("fake", "failed")
                self.assertIn(words, row["error"])
                status = bench.ask("status.get", appId="fake")[0]["response"]
                self.assertFalse(status["hostRunning"])
                self.assertIn(words, status["error"])
                self.assert_neighbour_answers(bench, 3)


class Jobs(unittest.TestCase):
    def hear_job(self, line, state):
        while True:
            message = line.hear()
            if message.get("event") == "job.changed" and message["params"]["state"] == state:
                return message["params"]

    def test_a_job_whose_provider_dies_is_failed_and_stays_so(self):
        with Bench(with_neighbour("plain")) as bench, bench.connect() as events:
            bench.wait_state("fake", "up")
            events.ask('{"id":1,"method":"events.subscribe","params":{"topics":["job.changed"]}}')
            job = bench.ask("action.invoke", appId="fake", actionName="endless", args={})[0]["response"]
            os.kill(bench.ask("status.get", appId="fake")[0]["response"]["pid"], signal.SIGKILL)
            told = self.hear_job(events, "failed")
            self.assertEqual(told["jobId"], job["jobId"])
            bench.wait_state("fake", "up")
            after = bench.ask("action.job.get", appId="fake", jobId=job["jobId"])[0]["response"]
            self.assertEqual((after["state"], after["error"]["code"]), ("failed", "E_ACTION_FAILED"))
            self.assertIn("killed by SIGKILL", after["error"]["message"])
            self.assertTrue(after["finishedAt"])
            jobs = bench.ask("action.job.list", appId="fake")[0]["response"]["jobs"]
            self.assertEqual([row["jobId"] for row in jobs], [job["jobId"]])
            canceled = bench.ask("action.job.cancel", appId="fake", jobId=job["jobId"])[0]["response"]
            self.assertEqual(canceled["state"], "failed")

    def test_a_job_that_its_provider_lets_run_over_is_timeout_once(self):
        with Bench(with_neighbour("plain")) as bench, bench.connect() as events:
            bench.wait_state("fake", "up")
            events.ask('{"id":1,"method":"events.subscribe","params":{"topics":["job.changed"]}}')
            bench.ask("action.invoke", appId="fake", actionName="late", args={})
            self.assertEqual(self.hear_job(events, "timeout")["error"]["code"], "E_ACTION_TIMEOUT")
            time.sleep(2.5)  # By then the provider has called it succeeded.
            after = bench.ask("action.job.get", appId="fake", jobId="job-late")[0]["response"]
            self.assertEqual(after["state"], "timeout")
            events.say('{"id":"end","method":"ping"}\n')
            self.assertEqual(events.hear().get("id"), "end", "no second final state was told")

    def test_a_job_of_which_its_provider_says_nothing_is_timeout_all_the_same(self):
        with Bench(with_neighbour("plain")) as bench, bench.connect() as events:
            bench.wait_state("fake", "up")
            events.ask('{"id":1,"method":"events.subscribe","params":{"topics":["job.changed"]}}')
            bench.ask("action.invoke", appId="fake", actionName="quiet", args={})
            told = self.hear_job(events, "timeout")
            self.assertEqual((told["jobId"], told["actionName"]), ("job-quiet", "quiet"))
            self.assertEqual(told["error"]["code"], "E_ACTION_TIMEOUT")

    def test_the_legacy_run_ends_when_its_provider_dies(self):
        with Bench(with_neighbour("plain")) as bench:
            bench.wait_state("fake", "up")
            answer = bench.ask("action.run", appId="fake", actionName="die", args={})[0]
            self.assertEqual(answer["error"]["code"], "E_IO")


class Clients(unittest.TestCase):
    def test_a_subscriber_that_does_not_read_is_cut_off_with_a_word(self):
        with Bench(with_neighbour("flood-events")) as bench, bench.connect() as idle:
            idle.ask('{"id":1,"method":"events.subscribe","params":{"topics":["log"]}}')
            cut = bench.wait_log("client ")
            self.assertIn("cut off", cut[0])
            bench.wait_state("good", "up")
            self.assertLess(bench.ask("status.get", appId="good")[1], PROMPT_S)


class LabdeckJson(unittest.TestCase):
    def test_cwd_and_env_reach_the_provider(self):
        with Bench({"providers": [fake("plain", env={"LABDECK_FAKE": "yes"}, cwd="below")]}) as bench:
            # The folder is not there: the provider cannot start, and says why.
            self.assertIn("below", bench.wait_state("fake", "failed")["error"])
        with Bench({"providers": [fake("plain", env={"LABDECK_FAKE": "yes"}, cwd=".labdeck/dev")]}) as bench:
            bench.wait_state("fake", "up")
            status = bench.ask("status.get", appId="fake")[0]["response"]
            self.assertEqual(status["env"], "yes")
            self.assertTrue(status["cwd"].endswith("/.labdeck/dev"), status["cwd"])

    def test_restart_false_is_heeded(self):
        with Bench({"providers": [fake("plain", restart=False)]}) as bench:
            bench.wait_state("fake", "up")
            pid = bench.ask("status.get", appId="fake")[0]["response"]["pid"]
            os.kill(pid, signal.SIGKILL)
            self.assertIn("killed by SIGKILL", bench.wait_state("fake", "failed")["error"])
            wait_for(lambda: process_gone(pid), "its end")
            time.sleep(1.5)
            self.assertEqual(bench.app("fake")["providerState"], "failed")

    def test_wrong_entries_are_refused_with_their_place(self):
        for entry, words in (({"name": "x", "apps": ["a"], "command": "one text"}, "providers[0].command"),
                             ({"name": "x", "apps": ["a"], "command": [""]}, "providers[0].command"),
                             ({"name": "x", "apps": ["a"], "cwd": 7}, "providers[0].cwd"),
                             ({"name": "x", "apps": ["a"], "env": {"K": 7}}, "providers[0].env.K"),
                             ({"name": "x", "apps": ["a"], "env": {"A=B": "x"}}, "providers[0].env.A=B"),
                             ({"name": "x", "apps": ["a", "a"]}, "providers[0].apps"),
                             ({"name": "x", "apps": [""]}, "providers[0].apps"),
                             ({"name": "x", "apps": []}, "providers[0].apps"),
                             ({"name": "x", "apps": ["a"], "restart": "no"}, "providers[0].restart"),
                             ({"name": "", "apps": ["a"]}, "providers[0].name"),
                             ({"name": "x", "apps": ["a"], "comand": ["y"]}, "providers[0].comand")):
            with self.subTest(entry=entry), Workspace(PROGRAM, {"providers": [entry]}) as bench:
                hub = bench.start("serve", stderr=-1, text=True)
                self.assertEqual(hub.wait(10), 1)
                self.assertIn(words, hub.stderr.read())
                hub.stderr.close()


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
