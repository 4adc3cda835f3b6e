#!/usr/bin/env python3
"""The command line and the socket, end to end: cli_test.py PATH-OF-LABDECK [unittest options]."""
import json
import os
import signal
import subprocess
import sys
import time
import unittest

from bench import PATIENCE_S, Workspace, process_gone, wait_for

PROGRAM = ""


class CommandLine(unittest.TestCase):
    def test_exit_codes_tell_usage_nobody_and_refusal_apart(self):
        with Workspace(PROGRAM, {}) as bench:
            self.assertEqual(bench.run_call("ping").returncode, 3)
            bench.serve()
            self.assertEqual(bench.run_call("ping").returncode, 0)
            refused = bench.run_call("no.such.method")
            self.assertEqual(refused.returncode, 1)
            self.assertTrue(refused.stderr.startswith("E_UNSUPPORTED_METHOD: "), refused.stderr)
            self.assertEqual(bench.run_call("ping", "neither json nor pair").returncode, 2)
            unknown = subprocess.run([PROGRAM, "--no-such-option"], capture_output=True, check=False, timeout=PATIENCE_S)
            self.assertEqual(unknown.returncode, 2)

    def test_key_value_words_are_json_where_they_parse(self):
        with Workspace(PROGRAM, {}) as bench:
            bench.serve()
            done = bench.run_call("serial.pair", "a=one", "b=two", "baud=9600")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(os.path.islink(json.loads(done.stdout)["a"]))
            refused = bench.run_call("serial.pair", "a=three", "b=four", "baud=fast")
            self.assertTrue(refused.stderr.startswith("E_BAD_ARG: "), refused.stderr)

    def test_a_call_reaches_a_provider_of_its_own(self):
        with Workspace(PROGRAM, {}) as bench:
            done = subprocess.run([PROGRAM, "call", "status.get", "appId=plc-simulator", "--", PROGRAM, "provider",
                                   "--apps", "plc-simulator", "--config", bench.root + "/config"],
                                  capture_output=True, text=True, check=False, timeout=PATIENCE_S)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["appTitle"], "COM Traffic Simulator (PLC)")

    def test_a_second_hub_is_told_who_holds_the_workspace(self):
        with Workspace(PROGRAM, {}) as bench:
            first = bench.serve()
            second = subprocess.run([PROGRAM, "serve", "--workspace", bench.root], capture_output=True, text=True,
                                    check=False, timeout=PATIENCE_S)
            self.assertEqual(second.returncode, 1)
            self.assertIn(f"held by process {first.pid}", second.stderr)

    def test_without_a_display_the_window_says_so(self):
        with Workspace(PROGRAM, {}) as bench:
            env = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
            done = subprocess.run([PROGRAM, "console", "--workspace", bench.root], capture_output=True, text=True,
                                  check=False, env=env, timeout=PATIENCE_S)
            self.assertEqual(done.returncode, 1)
            self.assertIn("DISPLAY", done.stderr)


class Demo(unittest.TestCase):
    def test_the_demo_bench_runs_and_its_traffic_flows(self):
        with Workspace(PROGRAM) as bench:
            bench.serve("--demo")
            for app in ("plc-simulator", "ble-simulator", "bridge"):
                status = bench.wait_app(app, running=True)
                self.assertEqual(status["error"], "")
                self.assertTrue(status["bootId"])
            self.assertIsNone(bench.call("status.get", appId="plc-simulator").get("nothing"))
            before = bench.stats("plc-sim > plc-bridge")["bytes"]
            wait_for(lambda: bench.stats("plc-sim > plc-bridge")["bytes"] > before + 200, "Modbus answers on the cable")
            self.assertEqual(bench.stats("plc-sim > plc-bridge")["drops"], 0)
            done = subprocess.run([PROGRAM, "events", "traffic", "--count", "5", "--workspace", bench.root],
                                  capture_output=True, text=True, check=False, timeout=PATIENCE_S)
            self.assertEqual(done.returncode, 0, done.stderr)
            lines = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual([line["event"] for line in lines], ["traffic"] * 5)

    def test_stop_and_start_are_seen_on_the_wire(self):
        with Workspace(PROGRAM) as bench:
            bench.serve("--demo")
            bench.wait_app("plc-simulator", running=True)
            bench.wait_app("bridge", running=True)
            job = bench.call("action.run", appId="plc-simulator", actionName="run_stop", args={})
            self.assertEqual(job["state"], "succeeded")
            status = bench.wait_app("plc-simulator", running=False)
            self.assertIsNone(status["pid"])
            self.assertTrue(status["hostRunning"])
            silent = bench.stats("plc-sim > plc-bridge")["bytes"]
            time.sleep(0.5)
            self.assertEqual(bench.stats("plc-sim > plc-bridge")["bytes"], silent)
            bench.call("action.run", appId="plc-simulator", actionName="run_start", args={})
            bench.wait_app("plc-simulator", running=True)
            wait_for(lambda: bench.stats("plc-sim > plc-bridge")["bytes"] > silent, "answers again")

    def test_a_killed_provider_comes_back(self):
        with Workspace(PROGRAM) as bench:
            bench.serve("--demo")
            host = bench.wait_app("ble-simulator", running=True)["hostPid"]
            os.kill(host, signal.SIGKILL)
            down = wait_for(lambda: (lambda s: s if not s["hostRunning"] else None)(
                bench.call("status.get", appId="ble-simulator")), "the death to be noticed", 1)
            self.assertIn("killed by SIGKILL", down["error"])
            status = bench.wait_app("ble-simulator", running=True)
            self.assertNotEqual(status["hostPid"], host)

    def test_the_hub_takes_its_children_along_however_it_ends(self):
        for how in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(how=how), Workspace(PROGRAM) as bench:
                hub = bench.serve("--demo")
                pids = {bench.wait_app(app, hostRunning=True)["hostPid"] for app in ("plc-simulator", "bridge")}
                hub.send_signal(how)
                self.assertEqual(hub.wait(10), 0 if how == signal.SIGTERM else -how)
                for pid in pids:
                    wait_for(lambda pid=pid: process_gone(pid), f"process {pid} to end", 10)
                if how == signal.SIGTERM:
                    self.assertFalse(os.path.exists(bench.socket_path))


class BadLines(unittest.TestCase):
    def test_each_is_answered_and_the_connection_lives_on(self):
        with Workspace(PROGRAM, {}) as bench:
            bench.serve()
            with bench.connect() as line:
                for bad in (b"this is no JSON", b"[1,2,3]", b"42", b'"text"', b"null", b'{"id":1}', b"{}",
                            b'{"id":1.5,"method":"ping"}', b'{"id":{},"method":"ping"}', b'{"id":"a","method":7}',
                            b'{"id":"a","method":"ping","params":[]}', b'{"id":"\xff\xfe","method":"ping"}',
                            b'{"id":"a","method":"ping"', b'{"i":"a","m":"ping"}'):
                    with self.subTest(line=bad):
                        answer = line.ask(bad)
                        self.assertFalse(answer["ok"])
                        self.assertEqual(answer["error"]["code"], "E_BAD_ARG")
                        self.assertTrue(answer["error"]["message"])
                        self.assertTrue(line.ask('{"id":"after","method":"ping"}')["response"]["pong"])

    def test_a_line_beyond_16_mib_is_answered_once(self):
        with Workspace(PROGRAM, {}) as bench:
            bench.serve()
            with bench.connect() as line:
                line.say(b'{"id":"big","method":"' + b"x" * (16 << 20) + b'"}\n{"id":7,"method":"ping"}\n')
                answers = [line.hear(), line.hear()]
                self.assertEqual(answers[0]["error"]["code"], "E_BAD_ARG")
                self.assertIsNone(answers[0]["id"])
                self.assertEqual(answers[1]["id"], 7)
                self.assertTrue(answers[1]["ok"])

    def test_ids_come_back_as_they_came_and_notifications_are_not_answered(self):
        with Workspace(PROGRAM, {}) as bench:
            bench.serve()
            with bench.connect() as line:
                line.say('{"method":"log.write","params":{"level":"info","text":"noted"}}\n'
                         '{"id":"é\\n","method":"ping"}\n{"id":-12,"method":"process.ping"}\n')
                answers = {json.dumps(answer["id"]): answer for answer in (line.hear(), line.hear())}
                self.assertEqual(set(answers), {json.dumps("é\n"), "-12"})
                self.assertEqual(answers["-12"]["response"], "pong")

    def test_params_are_checked_with_the_key_named(self):
        with Workspace(PROGRAM, {}) as bench:
            bench.serve()
            with bench.connect() as line:
                answer = line.ask('{"id":1,"method":"status.get","params":{}}')
                self.assertEqual(answer["error"]["details"]["key"], "appId")
                answer = line.ask('{"id":1,"method":"status.get","params":{"appId":3}}')
                self.assertEqual(answer["error"]["details"]["key"], "appId")
                answer = line.ask('{"id":1,"method":"status.get","params":{"appId":"nobody"}}')
                self.assertEqual(answer["error"]["code"], "E_UNSUPPORTED_APP")
                answer = line.ask('{"id":1,"method":"status","params":{"app_id":"nobody"}}')
                self.assertEqual(answer["error"]["code"], "E_UNSUPPORTED_APP")


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
