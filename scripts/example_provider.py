#!/usr/bin/env python3
"""A Labdeck provider to copy: hosts `dummy-load`, an electronic load, over stdin and stdout. See docs/providers.md."""
import datetime, json, os, pathlib, re, sys, threading, uuid
APP, LINE_MAX, LIMIT_S = "dummy-load", 16 << 20, 2
INTERFACE = {"interfaceName": "generic-process-interface", "interfaceVersion": 1}
CONFIG = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "config", APP + ".json").resolve()
SETTING = {"key": "currentMa", "label": "Current", "type": "int", "value": 500, "min": 0, "max": 3000, "unit": "mA"}
SECONDS = {"name": "seconds", "label": "Time", "type": "number", "required": True, "min": 0, "max": 60, "unit": "s"}
ACTIONS = {name: {"name": name, "label": label, "args": args, "timeoutMs": LIMIT_S * 1000} for name, label, args in
           [("run_start", "Start", []), ("run_stop", "Stop", []), ("wait", "Hold the load", [SECONDS])]}
FINAL = ("succeeded", "failed", "timeout", "canceled")
ALIASES = {"status": "status.get", "config.show": "config.get", "actions.list": "action.list"}
boot_id, topics, jobs, lock = "", set(), {}, threading.Condition()  # Jobs run on threads of their own.

class Refused(Exception): pass
def need(true, code, message, **details):
    if not true: raise Refused({"code": code, "message": message, "details": details})
def say(message):
    with lock: print(json.dumps(message), flush=True)
def event(name, **params):
    if name in topics: say({"event": name, "params": {"appId": APP, **params}})
def now(): return datetime.datetime.utcnow().isoformat(timespec="milliseconds") + "Z"
def fits(field, value):
    return type(value) in ([int] if field["type"] == "int" else [int, float]) and field["min"] <= value <= field["max"]

def status(_):
    return {**INTERFACE, "appId": APP, "appTitle": "Dummy load", "running": bool(boot_id), "bootId": boot_id, "error": "",
            "pid": os.getpid() if boot_id else None, "hostRunning": True, "hostPid": os.getpid()}
def config(_):
    tree = {"currentMa": SETTING["value"], **(json.loads(CONFIG.read_text()) if CONFIG.exists() else {})}
    errors = [] if fits(SETTING, tree["currentMa"]) else ["currentMa is out of range"]
    return {"repoRoot": os.getcwd(), "valid": not errors, "errors": errors, "configTree": tree,
            "entries": [{**SETTING, "value": tree["currentMa"]}], "paths": [{"name": "config", "path": str(CONFIG)}]}
def config_set(params):
    key, value, tree = params["key"], params["value"], config(params)["configTree"]
    need(key == "currentMa" and fits(SETTING, value), "E_CONFIG_INVALID", f"{key} may not be {value}", key=key)
    changed, tree[key] = tree[key] != value, value
    CONFIG.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{CONFIG}.new", "w", encoding="utf-8") as file:  # The old file or the new one, never half of it.
        print(json.dumps(tree, indent=4), file=file, flush=True), os.fsync(file.fileno())
    os.replace(file.name, CONFIG)
    return {"changed": changed, "filePath": str(CONFIG), "restartRequired": changed and bool(boot_id),
            "pidAtSet": status(params)["pid"], "message": "saved"}

def change(job, state, error=None):
    with lock:
        if job["state"] in FINAL: return job  # The first final state stays.
        job["startedAt" if state == "running" else "finishedAt"] = now()
        job.update(state=state, error=error and {"code": error, "message": f"the job is {state}", "details": {}})
        lock.notify_all()
        event("job.changed", **job)
        return job
def work(job, args):
    global boot_id
    change(job, "running")
    if job["actionName"] == "wait":
        with lock: lock.wait_for(lambda: job["state"] in FINAL, min(args["seconds"], LIMIT_S))
        if args["seconds"] > LIMIT_S: return change(job, "timeout", "E_ACTION_TIMEOUT")
    else:
        boot_id = job["jobId"] if job["actionName"] == "run_start" else ""
        event("status.changed", **status({})), event("log", level="info", text=job["actionName"], time=now())
    return change(job, "succeeded")
def invoke(params):
    name, args = params["actionName"], params.get("args", {})
    need(name in ACTIONS, "E_NOT_FOUND", f"no such action: {name}")
    for arg in ACTIONS[name]["args"]: need(fits(arg, args.get(arg["name"])), "E_BAD_ARG", "it is wrong", key=arg["name"])
    job = {"jobId": str(uuid.uuid4()), "actionName": name, "state": "queued", "result": {}, "acceptedAt": now(),
           "startedAt": None, "finishedAt": None, "stdout": "", "stderr": "", "error": None}
    threading.Thread(target=work, args=(jobs.setdefault(job["jobId"], job), args), daemon=True).start()
    return job
def job_of(params):
    return jobs.get(params["jobId"]) or need(False, "E_NOT_FOUND", f"no such job: {params['jobId']}")
def job_list(params):
    found = [job for job in reversed(jobs.values()) if params.get("state") in (None, job["state"])]
    return {"jobs": found[:params.get("limit", 100)]}

def is_text(value): return isinstance(value, str)
TEXT = {"appId": is_text}
METHODS = {  # What each needs and what it does.
    "ping": ({}, lambda _: {"pong": True, **INTERFACE}), "status.get": (TEXT, status), "config.get": (TEXT, config),
    "app.list": ({}, lambda _: {"apps": [{"appId": APP, "title": "Load", "state": "up", "processModel": "process"}]}),
    "events.subscribe": ({"topics": lambda v: isinstance(v, list) and all(map(is_text, v))},
                         lambda p: topics.update(p["topics"]) or {"subscribed": p["topics"]}),
    "config.set": ({**TEXT, "key": is_text, "value": lambda v: v is not None}, config_set),
    "action.list": (TEXT, lambda _: {"actions": list(ACTIONS.values())}),
    "action.invoke": ({**TEXT, "actionName": is_text, "args": lambda v: v is None or isinstance(v, dict)}, invoke),
    "action.job.get": ({**TEXT, "jobId": is_text}, job_of),
    "action.job.cancel": ({**TEXT, "jobId": is_text}, lambda p: change(job_of(p), "canceled", "E_CANCELED")),
    "action.job.list": ({**TEXT, "limit": lambda v: v is None or type(v) is int and 1 <= v <= 1000,
                         "state": lambda v: v in (None, "queued", "running", *FINAL)}, job_list)}
def carry_out(method, params):
    if method in ALIASES:  # An older spelling, whose keys may be app_id for appId.
        method, params = ALIASES[method], {re.sub("_(.)", lambda m: m[1].upper(), k): v for k, v in params.items()}
    need(method in METHODS, "E_UNSUPPORTED_METHOD", f"no such method: {method}")
    for key, fit in METHODS[method][0].items(): need(fit(params.get(key)), "E_BAD_ARG", key + " is missing or wrong", key=key)
    need("appId" not in METHODS[method][0] or params["appId"] == APP, "E_UNSUPPORTED_APP", "nobody hosts that app")
    return METHODS[method][1](params)
def handle(line):
    request = ident = None
    try:
        need(len(line) <= LINE_MAX + 1, "E_BAD_ARG", "a line beyond 16 MiB")
        request = json.loads(line.decode())
        need(isinstance(request, dict) and type(request.get("id", "")) in (str, int), "E_BAD_ARG", "no object, or a wrong id")
        ident, method, params = request.get("id"), request.get("method"), request.get("params", {})
        need(is_text(method) and isinstance(params, dict), "E_BAD_ARG", "no method, or params that are no object")
        answer = {"id": ident, "ok": True, "response": carry_out(method, params)}
    except Refused as refused: answer = {"id": ident, "ok": False, "error": refused.args[0]}
    except (ValueError, RecursionError) as wrong:
        answer = {"id": None, "ok": False, "error": {"code": "E_BAD_ARG", "message": f"no JSON: {wrong}", "details": {}}}
    if ident is not None or not isinstance(request, dict) or "method" not in request or "id" in request: say(answer)

for line in filter(bytes.strip, sys.stdin.buffer): handle(line)
