#!/usr/bin/env python3
"""A Labdeck provider to copy: hosts `dummy-load`, an electronic load, over stdin and stdout. See docs/providers.md."""
import datetime, json, os, pathlib, re, sys, threading

APP, LINE_MAX, LIMIT_S, INTERFACE = "dummy-load", 16 << 20, 2, {"interfaceName": "generic-process-interface", "interfaceVersion": 1}
CONFIG = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "config", APP + ".json").resolve()
SETTING = {"key": "currentMa", "label": "Current", "type": "int", "value": 500, "min": 0, "max": 3000, "unit": "mA"}
SECONDS = {"name": "seconds", "label": "Time", "type": "number", "required": True, "min": 0, "max": 60, "unit": "s"}
ACTIONS = [{"name": name, "label": label, "args": args, "timeoutMs": LIMIT_S * 1000} for name, label, args in
           [("run_start", "Start", []), ("run_stop", "Stop", []), ("wait", "Hold the load", [SECONDS])]]
FINAL = ("succeeded", "failed", "timeout", "canceled")
PARAMS = {"status.get": {}, "config.get": {}, "config.set": {"key": str, "value": object}, "action.list": {},
          "action.invoke": {"actionName": str}, "action.run": {"actionName": str}, "action.job.get": {"jobId": str},
          "action.job.cancel": {"jobId": str}, "action.job.list": {}}
ALIASES = {"status": "status.get", "config.show": "config.get", "actions.list": "action.list", "action.run": "action.run"}
boot_id, topics, jobs, lock = "", set(), {}, threading.Condition()  # Jobs run on threads of their own.

class Refused(Exception): pass

def need(true, code, message, **details):
    if not true: raise Refused({"code": code, "message": message, "details": details})

def say(message):
    with lock: print(json.dumps(message), flush=True)

def event(name, params):
    if name in topics: say({"event": name, "params": {"appId": APP, **params}})

def now():
    return datetime.datetime.utcnow().isoformat(timespec="milliseconds") + "Z"

def fits(field, value):
    return type(value) in ([int] if field["type"] == "int" else [int, float]) and field["min"] <= value <= field["max"]

def status():
    return {**INTERFACE, "appId": APP, "appTitle": "Dummy load", "running": bool(boot_id), "bootId": boot_id, "error": "",
            "pid": os.getpid() if boot_id else None, "hostRunning": True, "hostPid": os.getpid()}

def config():
    tree = {"currentMa": SETTING["value"], **(json.loads(CONFIG.read_text()) if CONFIG.exists() else {})}
    errors = [] if fits(SETTING, tree["currentMa"]) else ["currentMa is out of range"]
    return {"repoRoot": os.getcwd(), "valid": not errors, "errors": errors, "configTree": tree,
            "entries": [{**SETTING, "value": tree["currentMa"]}], "paths": [{"name": "config", "path": str(CONFIG)}]}

def config_set(key, value):
    need(key == "currentMa" and fits(SETTING, value), "E_CONFIG_INVALID", f"{key} may not be {value}", key=key)
    tree = config()["configTree"]
    changed, tree[key] = tree[key] != value, value
    CONFIG.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{CONFIG}.new", "w", encoding="utf-8") as file:  # The old file or the new one, never half of it.
        print(json.dumps(tree, indent=4), file=file, flush=True)
        os.fsync(file.fileno())
    os.replace(file.name, CONFIG)
    return {"changed": changed, "filePath": str(CONFIG), "restartRequired": changed and bool(boot_id),
            "pidAtSet": status()["pid"], "message": "saved"}

def change(job, state, error=None):
    with lock:
        if job["state"] in FINAL: return job  # The first final state stays.
        job.update(state=state, error=error and {"code": error, "message": f"the job is {state}", "details": {}})
        job["startedAt" if state == "running" else "finishedAt"] = now()
        lock.notify_all()
        event("job.changed", job)
    return job

def work(job, args):
    global boot_id
    change(job, "running")
    if job["actionName"] == "wait":
        with lock: lock.wait_for(lambda: job["state"] in FINAL, min(args["seconds"], LIMIT_S))
        if args["seconds"] > LIMIT_S: return change(job, "timeout", "E_ACTION_TIMEOUT")
    else:
        boot_id = job["jobId"] if job["actionName"] == "run_start" else ""
        event("status.changed", status())
        event("log", {"level": "info", "text": job["actionName"], "time": now()})
    return change(job, "succeeded")

def invoke(name, args):
    need(isinstance(args, dict), "E_BAD_ARG", "args must be an object", key="args")
    action = next((action for action in ACTIONS if action["name"] == name), None)
    need(action, "E_NOT_FOUND", f"no such action: {name}")
    for arg in action["args"]: need(fits(arg, args.get(arg["name"])), "E_BAD_ARG", arg["name"] + " is wrong", key=arg["name"])
    job = jobs[f"job-{len(jobs)}"] = {"jobId": f"job-{len(jobs)}", "actionName": name, "state": "queued", "result": {},
        "acceptedAt": now(), "startedAt": None, "finishedAt": None, "stdout": "", "stderr": "", "error": None}
    threading.Thread(target=work, args=(job, args), daemon=True).start()
    return job

def carry_out(method, params):
    if method == "ping": return {"pong": True, **INTERFACE}
    if method == "app.list": return {"apps": [{"appId": APP, "title": "Dummy load", "state": "up", "processModel": "process"}]}
    if method == "events.subscribe":
        names = params.get("topics")
        need(isinstance(names, list) and all(isinstance(n, str) for n in names), "E_BAD_ARG", "topics?", key="topics")
        topics.update(names)
        return {"subscribed": names}
    need(method in PARAMS, "E_UNSUPPORTED_METHOD", f"no such method: {method}")
    limit, state = params.get("limit", 100), params.get("state")
    for key, kind in {"appId": str, **PARAMS[method]}.items():
        need(key in params and isinstance(params[key], kind), "E_BAD_ARG", f"{key} is missing or wrong", key=key)
    if method == "action.job.list":
        need(type(limit) is int and 1 <= limit <= 1000, "E_BAD_ARG", "limit is out of range", key="limit")
        need(state in (None, "queued", "running", *FINAL), "E_BAD_ARG", "no such state", key="state")
    need(params["appId"] == APP, "E_UNSUPPORTED_APP", f"nobody hosts {params['appId']}")
    if method == "status.get": return status()
    if method == "config.get": return config()
    if method == "config.set": return config_set(params["key"], params["value"])
    if method == "action.list": return {"actions": ACTIONS}
    if method == "action.job.list":
        return {"jobs": [job for job in reversed(jobs.values()) if state in (None, job["state"])][:limit]}
    if method == "action.invoke": return invoke(params["actionName"], params.get("args", {}))
    if method == "action.run":
        job = invoke(params["actionName"], params.get("args", {}))
        with lock: lock.wait_for(lambda: job["state"] in FINAL)
        return job
    need(params["jobId"] in jobs, "E_NOT_FOUND", f"no such job: {params['jobId']}")
    return change(jobs[params["jobId"]], "canceled", "E_CANCELED") if method.endswith("cancel") else jobs[params["jobId"]]

def handle(line):
    request = ident = None
    try:
        try: request = json.loads(line.decode())
        except (ValueError, RecursionError) as wrong: need(False, "E_BAD_ARG", f"the line is no JSON: {wrong}")
        need(isinstance(request, dict) and type(request.get("id", "")) in (str, int), "E_BAD_ARG", "no object, or a wrong id")
        ident, method, params = request.get("id"), request.get("method"), request.get("params", {})
        need(isinstance(method, str) and isinstance(params, dict), "E_BAD_ARG", "no method, or params that are no object")
        if method in ALIASES:  # An older spelling, whose keys may be app_id for appId.
            method, params = ALIASES[method], {re.sub("_(.)", lambda m: m[1].upper(), k): v for k, v in params.items()}
        answer = {"id": ident, "ok": True, "response": carry_out(method, params)}
    except Refused as refused:
        answer = {"id": ident, "ok": False, "error": refused.args[0]}
    if ident is not None or not isinstance(request, dict) or "method" not in request or "id" in request: say(answer)

def serve():
    while line := sys.stdin.buffer.readline(LINE_MAX + 1):
        if len(line) > LINE_MAX and line[-1:] != b"\n":
            while sys.stdin.buffer.readline(LINE_MAX)[-1:] not in (b"\n", b""): pass
            line = b"a line beyond 16 MiB"
        if b'"action.run"' in line: threading.Thread(target=handle, args=(line,), daemon=True).start()  # It waits.
        elif line.strip(): handle(line)

if __name__ == "__main__": serve()
