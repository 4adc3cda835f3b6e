#!/usr/bin/env python3
"""A provider for tests: hosts the app `fake` and misbehaves on request.

Actions, by name: `ok` succeeds at once, `die` kills the process, `hang` never answers the invoke. The first argument
names how it behaves from the start: `plain`, `other-interface`, `other-version`, `mute` (never answers ping),
`rubbish` (writes lines that are no message and half a line), `stray` (speaks for an app it does not host).
"""
import json
import os
import signal
import sys

mode = sys.argv[1] if len(sys.argv) > 1 else "plain"
jobs = {}


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def status():
    return {"interfaceName": "generic-process-interface", "interfaceVersion": 1, "appId": "fake",
            "appTitle": "Fake", "running": True, "pid": os.getpid(), "hostRunning": True, "hostPid": os.getpid(),
            "bootId": "1", "error": ""}


def answer(method, params):
    if method == "ping":
        name = "another-interface" if mode == "other-interface" else "generic-process-interface"
        return {"pong": True, "interfaceName": name, "interfaceVersion": 2 if mode == "other-version" else 1}
    if method == "events.subscribe":
        return {"subscribed": params["topics"]}
    if method == "status.get":
        return status()
    if method == "action.invoke":
        name = params["actionName"]
        if name == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if name == "hang":
            return None
        jobs["job-1"] = 0
        return {"jobId": "job-1", "state": "queued", "acceptedAt": "2026-01-01T00:00:00.000Z"}
    if method == "action.job.get":
        jobs[params["jobId"]] += 1
        return {"jobId": params["jobId"], "state": "succeeded" if jobs[params["jobId"]] > 2 else "running"}
    return {}


print("INFO fake: up as", os.getpid(), file=sys.stderr, flush=True)
if mode == "rubbish":
    sys.stdout.write("this is no message\n[1,2]\n{\"id\":")
    sys.stdout.flush()
    sys.stdout.write("1}\n")
    sys.stdout.flush()
for line in sys.stdin:
    request = json.loads(line)
    if mode == "mute":
        continue
    response = answer(request["method"], request.get("params", {}))
    if response is not None:
        say({"id": request["id"], "ok": True, "response": response})
    if request["method"] == "events.subscribe" and mode == "stray":
        say({"event": "status.changed", "params": {"appId": "somebody-else", "running": True}})
