#!/usr/bin/env python3
"""Providers that die at random under load: hub_soak.py PATH-OF-LABDECK [SECONDS, 300] [SEED]

Two dozen providers host an app each and are started again without limit, the first time after 1 ms and then ever
later, as any provider that dies over and over. A client has them run jobs all the time, and one that is up is killed
with SIGKILL every 200 ms or so. At the end each job that was accepted has exactly one final state, no process is left, and the
hub takes no more memory than after the first tenth of the time (4 MiB are allowed for).
"""
import contextlib
import json
import os
import pathlib
import random
import select
import signal
import socket
import sys
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "app"))
from bench import Workspace, wait_for  # noqa: E402

PROVIDERS = 24
FINAL = {"succeeded", "failed", "timeout", "canceled"}


def provider(app):
    """Hosts one app, whose action `work` takes up to 0.4 s."""
    lock = threading.Lock()
    jobs = {}

    def say(message):
        with lock:
            sys.stdout.write(json.dumps(message) + "\n")
            sys.stdout.flush()

    def stamp():
        return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())

    def work(job):
        job.update(state="running", startedAt=stamp())
        say({"event": "job.changed", "params": job})
        time.sleep(random.random() * 0.4)
        job.update(state="succeeded", finishedAt=stamp())
        say({"event": "job.changed", "params": job})

    def answer(method, params):
        interface = {"interfaceName": "generic-process-interface", "interfaceVersion": 1}
        if method == "ping":
            return {"pong": True, **interface}
        if method == "status.get":
            return {**interface, "appId": app, "appTitle": app, "running": True, "pid": os.getpid(),
                    "hostRunning": True, "hostPid": os.getpid(), "bootId": "1", "error": ""}
        if method == "action.invoke":
            job = {"appId": app, "jobId": str(uuid.uuid4()), "actionName": params["actionName"], "state": "queued",
                   "acceptedAt": stamp(), "startedAt": None, "finishedAt": None, "stdout": "", "stderr": "",
                   "result": {}, "error": None}
            jobs[job["jobId"]] = job
            threading.Thread(target=work, args=(job,), daemon=True).start()
            return {key: job[key] for key in ("jobId", "state", "acceptedAt")}
        if method == "action.job.get":
            return jobs.get(params["jobId"])
        return {}

    for line in sys.stdin:
        request = json.loads(line)
        response = answer(request["method"], request.get("params", {}))
        if "id" not in request:
            continue
        if response is None:
            say({"id": request["id"], "ok": False,
                 "error": {"code": "E_NOT_FOUND", "message": "no such job", "details": {}}})
        else:
            say({"id": request["id"], "ok": True, "response": response})


class Client:
    """Invokes jobs and hears of them, pipelined, on one connection."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.pending = {}
        self.next_id = 0
        self.rest = b""
        self.final = {}  # jobId: the final states that were told.
        self.accepted = {}  # jobId: its app.
        self.refused = {}  # code: how often.
        self.hosts = {}

    def ask(self, method, then, **params):
        self.next_id += 1
        self.pending[self.next_id] = then
        self.socket.sendall(json.dumps({"id": self.next_id, "method": method, "params": params}).encode() + b"\n")

    def hear(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.socket], [], [], left)[0]:
                return
            self.rest += self.socket.recv(1 << 20)
            *lines, self.rest = self.rest.split(b"\n")
            for line in lines:
                self.handle(json.loads(line))

    def handle(self, message):
        if "event" in message:
            job = message["params"]
            if message["event"] == "job.changed" and job["state"] in FINAL:
                self.final.setdefault(job["jobId"], []).append(job["state"])
            return
        self.pending.pop(message["id"])(message)

    def on_status(self, app):
        def take(message):
            if message["ok"]:
                self.hosts[app] = message["response"]["hostPid"]
        return take

    def on_invoke(self, app):
        def take(message):
            if message["ok"]:
                self.accepted[message["response"]["jobId"]] = app
            else:
                code = message["error"]["code"]
                self.refused[code] = self.refused.get(code, 0) + 1
        return take


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def children_of(mark):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if mark in pathlib.Path("/proc", pid, "cmdline").read_bytes():
                found.append(int(pid))
    return found


def main():
    program = os.path.abspath(sys.argv[1])
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 300
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    dice = random.Random(seed)
    mark = f"soak-{uuid.uuid4()}"
    apps = [f"app-{i}" for i in range(PROVIDERS)]
    spec = {"providers": [{"name": app, "apps": [app], "command": [
        sys.executable, os.path.abspath(__file__), "--provider", app, mark], "backoffMs": 1, "maxRetries": -1}
        for app in apps]}
    faults = []
    with Workspace(program, spec) as bench:
        hub = bench.serve()
        client = Client(bench.socket_path)
        client.ask("events.subscribe", lambda _: None, topics=["job.changed"])
        kills, invoked, early_kib = 0, 0, 0
        begun = time.monotonic()
        next_kill = begun + 1
        while (passed := time.monotonic() - begun) < seconds:
            for app in apps:
                client.ask("status.get", client.on_status(app), appId=app)
                client.ask("action.invoke", client.on_invoke(app), appId=app, actionName="work", args={})
                invoked += 1
            client.hear(0.05)
            if time.monotonic() > next_kill:
                next_kill += 0.1 + dice.random() * 0.2
                up = [pid for pid in client.hosts.values() if pid]
                if up:
                    pid = dice.choice(up)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                        kills += 1
            if not early_kib and passed > seconds / 10:
                early_kib = resident_kib(hub.pid)
        wait_for(lambda: client.hear(0.1) or not client.pending, "all answers")
        with contextlib.suppress(AssertionError):
            wait_for(lambda: client.hear(0.1) or all(job in client.final for job in client.accepted), "final states", 15)
        late_kib = resident_kib(hub.pid)
        states = {}
        for told in client.final.values():
            states[told[0]] = states.get(told[0], 0) + 1
        lost = [job for job in client.accepted if job not in client.final]
        twice = [job for job, told in client.final.items() if len(told) > 1]
        if lost:
            faults.append(f"{len(lost)} jobs without a final state, as {client.accepted[lost[0]]} {lost[0]}")
        if twice:
            faults.append(f"{len(twice)} jobs with several final states, as {twice[0]}: {client.final[twice[0]]}")
        if late_kib - early_kib > 4096:
            faults.append(f"the hub grew from {early_kib} to {late_kib} KiB")
        if kills == 0 or not client.accepted:
            faults.append("nothing was killed, or nothing was done")
        hub.send_signal(signal.SIGTERM)
        if hub.wait(10) != 0:
            faults.append(f"the hub ended with {hub.returncode}")
    with contextlib.suppress(AssertionError):
        wait_for(lambda: not children_of(mark.encode()), "the providers' end", 5)
    if left := children_of(mark.encode()):
        faults.append(f"processes left: {left}")
        for pid in left:
            os.kill(pid, signal.SIGKILL)
    print(f"{kills} kills in {seconds:g} s, {invoked} jobs asked for, {len(client.accepted)} accepted, refused "
          f"{client.refused}; final states {states}; hub {early_kib} KiB, then {late_kib} KiB")
    for fault in faults:
        print("FAULT:", fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    if sys.argv[1] == "--provider":
        provider(sys.argv[2])
    else:
        main()
