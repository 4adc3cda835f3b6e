#!/usr/bin/env python3
"""The example provider with one thing wrong: wrong_provider.py FAULT [CONFIG]. See FAULTS for what there is."""
import json
import os
import pathlib
import sys
import threading
import time

FAULT = sys.argv.pop(1)
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import example_provider as good  # noqa: E402

right_say, right_carry_out, right_handle, right_change = good.say, good.carry_out, good.handle, good.change
right_fits, heard = good.fits, 0


def integer_ids_as_text(message):
    if isinstance(message.get("id"), int):
        message = {**message, "id": str(message["id"])}
    right_say(message)


def error_without_code(message):
    if "error" in message:
        message = {**message, "error": {"message": message["error"]["message"], "details": {}}}
    right_say(message)


def every_answer_twice(message):
    right_say(message)
    if message.get("ok"):
        right_say(message)


def no_boot_id(method, params):
    response = right_carry_out(method, params)
    if method == "status.get":
        return {key: value for key, value in response.items() if key != "bootId"}
    return response


def blocking_invoke(method, params):
    response = right_carry_out(method, params)
    if method == "action.invoke":
        time.sleep(0.2)
    return response


def other_interface(method, params):
    return {**right_carry_out(method, params), **({"interfaceName": "another-interface"} if method == "ping" else {})}


def two_final_states(job, state, error=None):
    was_final = job["state"] in good.FINAL
    right_change(job, state, error)
    if job["state"] in good.FINAL and not was_final:
        job["state"] = "failed"
        good.event("job.changed", job)
    return job


def takes_any_config(field, value):
    return field is good.SETTING or right_fits(field, value)


def hangs_on_config(method, params):
    if method == "config.get":
        threading.Event().wait()
    return right_carry_out(method, params)


def floods(method, params):
    if method == "status.get":
        threading.Thread(target=lambda: [os.write(1, b"x" * 4000 + b"\n") for _ in iter(int, 1)], daemon=True).start()
    return right_carry_out(method, params)


def dies_on_bad_line(line):
    json.loads(line)
    right_handle(line)


def answers_notifications(line):
    right_handle(line)
    if b'"id"' not in line:
        right_say({"id": None, "ok": True, "response": None})


def loses_requests(line):
    global heard
    heard += 1
    if heard % 1500:
        right_handle(line)


def mute(line):
    del line


# What is replaced by what. `early-events` and `outlives-its-input` are done below.
FAULTS = {"integer-ids-as-text": ("say", integer_ids_as_text), "error-without-code": ("say", error_without_code),
          "every-answer-twice": ("say", every_answer_twice), "no-boot-id": ("carry_out", no_boot_id),
          "blocking-invoke": ("carry_out", blocking_invoke), "other-interface": ("carry_out", other_interface),
          "two-final-states": ("change", two_final_states), "takes-any-config": ("fits", takes_any_config),
          "hangs-on-config": ("carry_out", hangs_on_config), "floods": ("carry_out", floods),
          "dies-on-bad-line": ("handle", dies_on_bad_line), "loses-requests": ("handle", loses_requests),
          "answers-notifications": ("handle", answers_notifications), "mute": ("handle", mute)}
if FAULT in FAULTS:
    setattr(good, *FAULTS[FAULT])
if FAULT == "early-events":
    good.subscribed.update(["job.changed", "log", "status.changed"])
for sent in filter(bytes.strip, sys.stdin.buffer):
    good.handle(sent)
if FAULT == "outlives-its-input":
    time.sleep(60)
