#!/usr/bin/env python3
"""A provider for tests that misbehaves on request: provider.py MODE [APP], hosting the app `fake` by default.

Actions, by name: `ok` succeeds at once, `die` kills the process, `hang` never answers the invoke, `endless` starts a
job that never ends, `late` one that ends long after its timeoutMs, `quiet` one that runs over
without a word and tells of it when asked. Modes: `plain`, `other-interface`,
`other-version`, `mute` (never answers ping), `rubbish` (writes lines that are no message and half a line), `stray`
(speaks for an app it does not host); and, once it was asked for a status or subscribed to: `silent` (answers
nothing any more), `slow` (takes two seconds), `flood` (writes rubbish for ever), `flood-events` (log events for
ever), `giant` (17 MiB without a newline), `half` (half a line, then nothing).
config.set keeps its request's line as it came, and config.get answers the value in it, to the letter; in mode
`huge` that is 1e400 from the start. In mode `odd`, the status and the answer of an invoke have the wrong types.
"""
import json
import os
import signal
import sys
import threading
import time

mode = sys.argv[1] if len(sys.argv) > 1 else "plain"
app = sys.argv[2] if len(sys.argv) > 2 else "fake"
jobs = {}


def say_text(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say(message):
    say_text(json.dumps(message))


def status():
    return {"interfaceName": "generic-process-interface", "interfaceVersion": 1, "appId": app,
            "appTitle": "Fake", "running": True, "pid": os.getpid(), "hostRunning": True, "hostPid": os.getpid(),
            "bootId": "1", "error": "", "cwd": os.getcwd(), "env": os.environ.get("LABDECK_FAKE")}


def answer(method, params):
    if method == "ping":
        name = "another-interface" if mode == "other-interface" else "generic-process-interface"
        return {"pong": True, "interfaceName": name, "interfaceVersion": 2 if mode == "other-version" else 1}
    if method == "events.subscribe":
        return {"subscribed": params["topics"]}
    if method == "status.get":
        return {**status(), "running": "yes", "appTitle": 7, "error": []} if mode == "odd" else status()
    if method == "action.invoke" and mode == "odd":
        return ["job-1"]
    if method == "action.invoke":
        name = params["actionName"]
        if name == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if name == "hang":
            return None
        if name in ("endless", "late"):
            job = {"appId": app, "jobId": f"job-{name}", "actionName": name, "state": "running", "timeoutMs": 200}
            say({"event": "job.changed", "params": {**job, "timeoutMs": 200 if name == "late" else 600_000}})
            if name == "late":
                late = {"event": "job.changed", "params": {**job, "state": "succeeded"}}
                threading.Timer(4, say, [late]).start()
            return {"jobId": job["jobId"], "state": "running", "acceptedAt": "2026-01-01T00:00:00.000Z"}
        if name == "quiet":
            return {"jobId": "job-quiet", "state": "queued", "acceptedAt": "2026-01-01T00:00:00.000Z"}
        jobs["job-1"] = 0
        return {"jobId": "job-1", "state": "queued", "acceptedAt": "2026-01-01T00:00:00.000Z"}
    if method == "action.job.get" and params["jobId"] == "job-quiet":
        return {"jobId": "job-quiet", "state": "running", "timeoutMs": 200}
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
value = "1e400" if mode == "huge" else "null"
for line in sys.stdin:
    request = json.loads(line)
    if request["method"] == "config.set":
        value = line[line.index('"value":') + 8:line.rindex("}}")]
    if request["method"] == "config.get":
        say_text(f'{{"id":{request["id"]},"ok":true,"response":{value}}}')
        continue
    if mode == "mute":
        continue
    if request["method"] == "status.get":
        if mode == "silent":
            continue
        if mode == "slow":
            time.sleep(2)
    response = answer(request["method"], request.get("params", {}))
    if response is not None:
        say({"id": request["id"], "ok": True, "response": response})
    while request["method"] == "events.subscribe" and mode == "flood":
        sys.stdout.write("this is no message\n" * 1000)
    while request["method"] == "events.subscribe" and mode == "flood-events":
        say({"event": "log", "params": {"appId": app, "level": "info", "text": "x" * 1000, "time": ""}})
    if request["method"] == "events.subscribe" and mode in ("giant", "half"):
        sys.stdout.write("x" * (17 << 20) if mode == "giant" else '{"event":"lo')
        sys.stdout.flush()
    if request["method"] == "events.subscribe" and mode == "stray":
        say({"event": "status.changed", "params": {"appId": "somebody-else", "running": True}})
