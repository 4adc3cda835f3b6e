#!/usr/bin/env python3
"""A Labdeck provider to copy: hosts `dummy-load`, an electronic load, over stdin and stdout. See docs/providers.md."""
import concurrent.futures, datetime, json, os, pathlib, re, sys, threading, time, uuid

APP, LIMIT_S, INTERFACE = "dummy-load", 2, {"interfaceName": "generic-process-interface", "interfaceVersion": 1}
CONFIG = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "config", APP + ".json").resolve()
SETTING = {"key": "currentMa", "label": "Current", "type": "int", "value": 500, "min": 0, "max": 3000, "unit": "mA"}
SECONDS = {"name": "seconds", "label": "Time", "type": "int", "required": True, "min": 0, "max": 60, "unit": "s"}
ACTIONS = {name: {"name": name, "label": label, "args": args, "timeoutMs": LIMIT_S * 1000} for name, label, args in
           [("run_start", "Start", []), ("run_stop", "Stop", []), ("wait", "Hold the load", [SECONDS])]}
FINAL, STOPPED = ("succeeded", "failed", "timeout", "canceled"), {"running": False, "pid": None, "bootId": ""}
status = {**INTERFACE, "appId": APP, "appTitle": "Load", "error": "", "hostRunning": True, "hostPid": os.getpid(), **STOPPED}
subscribed, jobs, lock, threads = set(), {}, threading.RLock(), concurrent.futures.ThreadPoolExecutor(99)

class Refused(Exception): pass
def error(code, message, **details): return {"code": code, "message": message, "details": details}
def need(true, *what, **details):
    if not true: raise Refused(error(*what, **details))
def say(message):
    with lock: print(json.dumps(message), flush=True)
def event(name, params):
    if name in subscribed: say({"event": name, "params": {"appId": APP, **params}})
def now(): return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")[:-6] + "Z"
def fits(field, value): return type(value) is int and field["min"] <= value <= field["max"]

def config():
    tree = {"currentMa": SETTING["value"], **(json.loads(CONFIG.read_text()) if CONFIG.exists() else {})}
    errors = [] if fits(SETTING, tree["currentMa"]) else ["currentMa is out of range"]
    return {"repoRoot": os.getcwd(), "valid": not errors, "errors": errors, "configTree": tree,
            "entries": [{**SETTING, "value": tree["currentMa"]}], "paths": [{"name": "config", "path": str(CONFIG)}]}
def config_set(key, value):
    need(key == "currentMa" and fits(SETTING, value), "E_CONFIG_INVALID", f"{key} may not be {value}", key=key)
    tree = config()["configTree"]
    CONFIG.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{CONFIG}.new", "w", encoding="utf-8") as file:  # The old file or the new one, never half of it.
        print(json.dumps({**tree, key: value}, indent=4), file=file, flush=True)
        os.fsync(file.fileno())
    os.replace(file.name, CONFIG)
    return {"changed": tree[key] != value, "restartRequired": tree[key] != value and status["running"],
            "filePath": str(CONFIG), "pidAtSet": status["pid"], "message": "saved"}

def change(job, state, code=None):
    with lock:
        if job["state"] in FINAL: return job  # The first final state stays.
        job["startedAt" if state == "running" else "finishedAt"] = now()
        job.update(state=state, error=code and error(code, f"{job['actionName']}: {state}"))
        event("job.changed", job)
        return job
def work(job, seconds):  # What an action does. It runs on a thread of its own.
    change(job, "running")
    time.sleep(min(seconds, LIMIT_S))
    started = {"running": True, "pid": os.getpid(), "bootId": str(uuid.uuid4())}
    status.update({"run_start": started, "run_stop": STOPPED}.get(job["actionName"], {}))
    event("status.changed", status)
    event("log", {"level": "info", "text": f"{job['actionName']} is over", "time": now()})
    return change(job, "succeeded") if seconds <= LIMIT_S else change(job, "timeout", "E_ACTION_TIMEOUT")
def invoke(params, do=lambda *job: threads.submit(work, *job)):
    name, args = params["actionName"], params.get("args") or {}
    for arg in ACTIONS[name]["args"]: need(fits(arg, args.get(arg["name"])), "E_BAD_ARG", "wrong argument", key=arg["name"])
    job = {"jobId": str(uuid.uuid4()), "actionName": name, "state": "queued", "result": {}, "acceptedAt": now(),
           "startedAt": None, "finishedAt": None, "stdout": "", "stderr": "", "error": None}
    do(jobs.setdefault(job["jobId"], job), args.get("seconds", 0))
    return job

VALID = {"value": lambda v: v is not None, "args": lambda v: v is None or isinstance(v, dict),  # Other params are texts.
         "topics": lambda v: isinstance(v, list) and all(isinstance(name, str) for name in v),
         "state": lambda v: v in (None, "queued", "running", *FINAL), "limit": lambda v: v is None or type(v) is int and 0 < v <= 1000}
KNOWN = {"appId": ("E_UNSUPPORTED_APP", [APP]), "actionName": ("E_NOT_FOUND", ACTIONS), "jobId": ("E_NOT_FOUND", jobs)}
METHODS = {"ping": ("", lambda p: {"pong": True, **INTERFACE}), "status.get": ("appId", lambda p: status),
    "app.list": ("", lambda p: {"apps": [{"appId": APP, "title": "Load", "state": "up", "processModel": "process"}]}),
    "events.subscribe": ("topics", lambda p: subscribed.update(p["topics"]) or {"subscribed": p["topics"]}),
    "config.get": ("appId", lambda p: config()), "config.set": ("appId key value", lambda p: config_set(p["key"], p["value"])),
    "action.list": ("appId", lambda p: {"actions": [*ACTIONS.values()]}), "action.job.get": ("appId jobId", lambda p: jobs[p["jobId"]]),
    "action.invoke": ("appId actionName args", invoke), "action.run": ("appId actionName args", lambda p: invoke(p, work)),
    "action.job.cancel": ("appId jobId", lambda p: change(jobs[p["jobId"]], "canceled", "E_CANCELED")),
    "action.job.list": ("appId state limit", lambda p: {"jobs": [job for job in reversed(jobs.values())
                        if p.get("state") in (None, job["state"])][:p.get("limit")]})}
ALIASES = {"status": "status.get", "config.show": "config.get", "actions.list": "action.list"}  # With keys like app_id.
def carry_out(method, params):
    method, params = ALIASES.get(method, method), {re.sub("_(.)", lambda m: m[1].upper(), k): v for k, v in params.items()}
    keys, act = METHODS.get(method) or need(False, "E_UNSUPPORTED_METHOD", f"no such method: {method}")
    for key in keys.split(): need(VALID.get(key, lambda v: isinstance(v, str))(params.get(key)), "E_BAD_ARG", f"{key}?", key=key)
    for key, (code, known) in KNOWN.items(): need(key not in keys or params[key] in known, code, f"unknown {key}")
    return act(params)
def handle(line):
    request = ident = None
    try:
        request = json.loads(line.decode() if len(line) <= (16 << 20) + 1 else "")
        need(isinstance(request, dict) and type(request.get("id", "")) in (str, int), "E_BAD_ARG", "no object, or a wrong id")
        ident, method, params = request.get("id"), request.get("method"), request.get("params", {})
        need(isinstance(method, str) and isinstance(params, dict), "E_BAD_ARG", "no method, or params that are no object")
        answer = {"id": ident, "ok": True, "response": carry_out(method, params)}
    except Refused as refused: answer = {"id": ident, "ok": False, "error": refused.args[0]}
    except (ValueError, RecursionError) as wrong: answer = {"id": ident, "ok": False, "error": error("E_BAD_ARG", str(wrong))}
    if not isinstance(request, dict) or "method" not in request or "id" in request: say(answer)
if __name__ == "__main__":
    for line in filter(bytes.strip, sys.stdin.buffer):
        answering = threads.submit(handle, line)
        if b'"action.run"' not in line: answering.result()  # What waits for a job holds up nobody.
