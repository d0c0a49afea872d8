#!/usr/bin/env python3
"""A server that plays servers: what it does is the first part of the path, as in http://HOST:PORT/stall/NAME/v1/models.

Prints its port, and ends when its standard input does. GET /log/ tells of connections that others closed, by what is
before /v1 in their paths.
"""

import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

LOG = []


def event(text=None, reason=None, **more):
    """One event of an answer; its text stands where both kinds of question look for it."""
    choice = {"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice], **more}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
GREETING = event("Hello") + event(" w\u00f6rld \U0001f30a") + event(reason="stop")
HOSTILE = "a\x1b]0;title\x07b\x1b[2Jc\u009bd\u202ee\r\nf\x00g"


def models(*names):
    return json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode()


class Connection:
    def __init__(self, connection):
        self.connection = connection
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.receive()
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.path = lines[0].split(" ")[:2]
        self.headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        while len(self.body) < int(self.headers.get("content-length", 0)):
            self.body += self.receive()

    def receive(self):
        data = self.connection.recv(65536)
        if not data:
            raise ConnectionError("closed")
        return data

    def send(self, data):
        self.connection.sendall(data)

    def head(self, status="200 OK", kind="text/event-stream", *more):
        self.send("\r\n".join([f"HTTP/1.1 {status}", f"Content-Type: {kind}", *more, "", ""]).encode())

    def whole(self, body, kind="application/json", status="200 OK", *more):
        self.head(status, kind, f"Content-Length: {len(body)}", *more)
        self.send(body)

    def stream(self, *parts, ends=True):
        self.head("200 OK", "text/event-stream; charset=utf-8", "Transfer-Encoding: chunked")
        for part in parts:
            self.chunk(part)
        if ends:
            self.send(b"0\r\n\r\n")

    def chunk(self, part):
        self.send(b"%x\r\n%s\r\n" % (len(part), part))

    def wait_for_close(self):
        try:
            self.receive()
        except ConnectionError:
            self.note_close()

    def note_close(self):
        LOG.append(self.path.split("/v1/")[0].strip("/"))


def list_models(c, name):
    plays = {
        "several": lambda: c.whole(models("small", "large\x1b[31m", *[f"m{i}" for i in range(20)])),
        "none": lambda: c.whole(models()),
        "listless": lambda: c.whole(b'{"detail":"Not Found"}', "application/json", "404 Not Found"),
        "scribble": lambda: c.whole(b"\x00\xff{[", "application/json"),
        "silent": lambda: c.wait_for_close(),
        "locked": lambda: refuse_key(c),
    }
    plays.get(name, lambda: c.whole(models("tiny")))()


def refuse_key(c):
    said = {"error": {"message": f"Incorrect API key: {c.headers.get('authorization', 'none')}"}}
    c.whole(json.dumps(said).encode(), "application/json", "401 Unauthorized", "WWW-Authenticate: Bearer")


def bytewise(c):
    """Each byte in a packet of its own, with comments, other fields and carriage returns in between."""
    text = b": ping\r\n\r\nevent: message\r\nid: 7\r\n" + (GREETING + DONE).replace(b"\n", b"\r\n")
    text = text.replace(b"\\u00f6", "\u00f6".encode()).replace(b"\\ud83c\\udf0a", "\U0001f30a".encode())
    c.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    c.stream(*[bytes([byte]) for byte in text])


def echo(c):
    told = json.dumps({"path": c.path, "key": c.headers.get("authorization"), "body": json.loads(c.body)})
    c.stream(event(told), event(reason="stop"), DONE)


def stall(c):
    c.stream(event("one"), ends=False)
    c.wait_for_close()


def endless(c):
    c.stream(ends=False)
    try:
        while True:
            c.chunk(event("on"))
            time.sleep(0.01)
    except OSError:
        c.note_close()


def huge(c):
    c.head()
    c.send(b"data: {\"choices\": [{\"text\": \"")
    for _ in range(10):
        c.send(b"x" * (1 << 20))
    c.send(b"\"}]}\n\n" + DONE)


def flood(c):
    """Comments for ever: nothing of it is an answer."""
    c.head()
    while True:
        c.send((b": " + b"x" * 1000 + b"\n") * 1000)


def cut_in_a_character(c):
    data = event("wor").replace(b"wor", "w\u00f6".encode()[:2])
    c.head()
    c.send(event("Hello") + data[: data.index(b"w") + 2])


ANSWERS = {
    "plain": lambda c: c.stream(GREETING + DONE),
    "bytewise": bytewise,
    "echo": echo,
    "locked": refuse_key,
    "listless": lambda c: c.stream(GREETING + DONE),
    "completion": lambda c: c.stream(
        b'data: {"choices":[{"text":" and"}],"usage":{"completion_tokens":3}}\n\n',
        b'data: {"choices":[{"text":"","finish_reason":"length"}]}\n\n',
        b'data: {"choices":[],"usage":{"completion_tokens":3}}\n\n', DONE),
    "thinking": lambda c: c.stream(
        b'data: {"choices":[{"delta":{"role":"assistant","content":null,"reasoning_content":"hm"}}]}\n\n',
        event(" yes"), event(reason="stop"), DONE),
    "no-done": lambda c: (c.head(), c.send(GREETING)),
    "end-then-rubbish": lambda c: c.stream(GREETING, b"data: oops\n\n"),
    "unfinished-last-line": lambda c: (c.head(), c.send(event("Hello") + b"data: [DONE]")),
    "html-500": lambda c: c.whole(
        b"<html><body><h1>Oh no</h1></body></html>", "text/html", "500 Internal Server Error"),
    "text-503": lambda c: c.whole(b"model is\x1b[31m loading\n", "text/plain", "503 Service Unavailable"),
    "json-404": lambda c: c.whole(
        b'{"object":"error","message":"The model `x` does not exist."}', "application/json", "404 Not Found"),
    "detail-422": lambda c: c.whole(
        b'{"detail":[{"loc":["body"],"msg":"value is not a valid list"}]}', "application/json", "422 Bad"),
    "binary-500": lambda c: c.whole(bytes(range(256)) * 9, "application/octet-stream", "500 Bad"),
    "page": lambda c: c.whole(b"<html>Welcome to nginx!</html>", "text/html"),
    "redirect": lambda c: c.whole(b"", "text/plain", "302 Found", "Location: /plain/v1/chat/completions"),
    "stall": stall,
    "silent": lambda c: c.wait_for_close(),
    "endless": endless,
    "early": lambda c: c.stream(event("Hello"), ends=False),
    "early-unchunked": lambda c: (c.head(), c.send(event("Hello") + event("x")[:20])),
    "cut": cut_in_a_character,
    "nothing": lambda c: None,
    "huge": huge,
    "flood": flood,
    "hostile": lambda c: c.stream(event(HOSTILE), event(reason="stop"), DONE),
    "scribble": lambda c: c.stream(bytes(range(256)) * 20),
    "not-json": lambda c: c.stream(event("Hello"), b"data: {oops\x1b[2J\n\n", DONE),
    "not-object": lambda c: c.stream(b"data: 12\n\n"),
    "choiceless": lambda c: c.stream(b"data: {}\n\n"),
    "deep": lambda c: c.stream(b"data: " + b"[" * 100000 + b"\n\n"),
    "error-event": lambda c: c.stream(
        event("Hello"), b'data: {"error":{"message":"out of\\u001b[2J memory","code":500}}\n\n'),
}


# --- A Ray cluster, as far as its Jobs API: http://HOST:PORT/cluster/NAME/api/..., each NAME another one


class Cluster:
    """Jobs go from PENDING to RUNNING to SUCCEEDED as they are asked for; commands that run fetch.py are really run."""

    def __init__(self):
        self.packages, self.jobs, self.seen = {}, {}, []

    def submit(self, body):
        name = body["submission_id"]
        states = ["PENDING", "RUNNING", "RUNNING", "SUCCEEDED"]
        log = "".join(f"line {number}\n" for number in range(4))
        words = body["entrypoint"].split()
        if words[:2] == ["python", "fetch.py"]:
            states, log = ["SUCCEEDED"], fetched(words[2:])
        if words[0] == "fail":
            states[-1] = "FAILED"
        if words[0] == "vanish":
            states[-1] = None
        if words[0] == "forever":
            states = ["RUNNING"]
        self.jobs[name] = {"body": body, "states": states, "log": log, "asked": 0}

    def details(self, name, asks=True):
        job = self.jobs[name]
        state = job["states"][min(job["asked"], len(job["states"]) - 1)]
        job["asked"] += asks
        if state is None:
            return None
        message = "Job failed, last available logs (truncated): secrets" if state == "FAILED" else "fine"
        return {"type": "SUBMISSION", "submission_id": name, "status": state, "message": message,
                "entrypoint": job["body"]["entrypoint"], "metadata": job["body"]["metadata"],
                "start_time": 1700000000000 + len(name), "end_time": None}

    def log(self, name):
        """As many lines as the job was asked for, so that it grows."""
        job = self.jobs[name]
        over = job["asked"] >= len(job["states"])
        return job["log"] if over else "".join(job["log"].splitlines(True)[: job["asked"]])


def fetched(words):
    program = Path(__file__).resolve().parents[2] / "Sources/Export/Recipes/Programs/fetch.py"
    run = subprocess.run([sys.executable, str(program), *words], capture_output=True, text=True, check=False)
    return "Ray says hello\n" + run.stdout + run.stderr


CLUSTERS = {}


def play_cluster(c):
    _, _, name, *rest = c.path.split("/")
    cluster = CLUSTERS.setdefault(name, Cluster())
    path = "/".join(rest)
    if path == "seen":
        return c.whole(json.dumps(cluster.seen).encode())
    cluster.seen.append({"method": c.method, "path": path, "key": c.headers.get("authorization"), "bytes": len(c.body)})
    missing = lambda: c.whole(b"Job does not exist", "text/plain", "404 Not Found")
    tell = lambda value: c.whole(json.dumps(value).encode())
    if name.startswith("locked") and c.headers.get("authorization") != "Bearer sesame":
        said = f"Unauthorized: {c.headers.get('authorization')}"
        return c.whole(said.encode(), "text/plain", "401 Unauthorized")
    if path == "api/version":
        return tell({"version": "4", "ray_version": "2.60.0"})
    if path.startswith("api/packages/gcs/"):
        if c.method == "PUT":
            cluster.packages[rest[-1]] = c.body
            return c.whole(b"", "text/plain")
        return c.whole(b"", "text/plain") if rest[-1] in cluster.packages else missing()
    if path == "api/jobs/" and c.method == "POST":
        body = json.loads(c.body)
        if body["entrypoint"].startswith("refuse"):
            trace = b"Traceback (most recent call last):\n  File ...\nValueError: no such entrypoint"
            return c.whole(trace, "text/plain", "400 Bad Request")
        if body["entrypoint"] == "early" and len(cluster.seen) < 2:
            said = b"No available agent to submit job, please try again later."
            return c.whole(said, "text/plain", "500 Internal Server Error")
        cluster.submit(body)
        return tell({"submission_id": body["submission_id"]})
    if path == "api/jobs/":
        driver = {"type": "DRIVER", "job_id": "02000000", "submission_id": None, "status": "RUNNING"}
        return tell([driver] + [cluster.details(job, asks=False) for job in cluster.jobs])
    job = rest[2] if len(rest) > 2 else ""
    if job not in cluster.jobs:
        return missing()
    if rest[3:] == ["logs"] and name == "logless":
        return c.whole(b"Traceback (most recent call last):\nthe agent is gone", "text/plain", "500 Bad")
    if rest[3:] == ["logs"]:
        return tell({"logs": cluster.log(job)})
    if rest[3:] == ["stop"]:
        cluster.jobs[job]["states"] = ["STOPPED"]
        return tell({"stopped": True})
    if c.method == "DELETE":
        del cluster.jobs[job]
        return tell({"deleted": True})
    details = cluster.details(job)
    return missing() if details is None else tell(details)


def serve(connection):
    with connection:
        try:
            c = Connection(connection)
            name = c.path.split("/")[1]
            if name == "cluster":
                play_cluster(c)
            elif name == "log":
                c.whole(json.dumps(LOG).encode())
            elif c.path.endswith("/models"):
                list_models(c, name)
            else:
                ANSWERS[name](c)
        except OSError:
            pass  # Whoever has heard enough may go.


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


main()
