"""A Ray cluster of one machine, on its loopback addresses: started, killed and started again."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

# Ray puts a machine's outward address in place of 127.0.0.1, except where it is told that there are no other machines.
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
MARK = "VISE_INTEROP_HEAD"


class Head:
    """One head; `with` ends it. Its processes are known by a variable of their environment, so that no others are ended."""

    def __init__(self, port=26379, dashboard=28265, **variables):
        # Paths of sockets must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="vr", dir="/tmp"))
        self.port, self.dashboard = port, dashboard
        self.url = f"http://127.0.0.1:{dashboard}"
        # Programs that stand in for others are looked for first.
        self.programs = self.folder / "bin"
        self.programs.mkdir()
        path = f"{self.programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = {
            **os.environ, **LOOPBACK, **variables, "PATH": path, MARK: str(self.folder), "RAY_USAGE_STATS_ENABLED": "0",
            "TMPDIR": str(self.folder)}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        subprocess.run(
            [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--node-ip-address=127.0.0.1",
             f"--port={self.port}", "--dashboard-host=127.0.0.1", f"--dashboard-port={self.dashboard}", "--num-cpus=2",
             # Two heads have no port in common.
             f"--ray-client-server-port={self.port + 1000}", f"--dashboard-agent-listen-port={self.dashboard + 1000}",
             "--object-store-memory=200000000", f"--temp-dir={self.folder}/ray", "--disable-usage-stats"],
            check=True, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait()

    def wait(self):
        """Waits until jobs are listed; they are taken a moment later."""
        for _ in range(120):
            try:
                self.ask("api/jobs/")
                return
            except OSError:
                time.sleep(0.5)
        raise RuntimeError("the head does not answer")

    def processes(self):
        for entry in Path("/proc").iterdir():
            try:
                if f"{MARK}={self.folder}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name)
            except (OSError, ValueError):
                continue

    def kill(self):
        """Ends all of it at once, as a power failure does."""
        while left := [number for number in self.processes() if number != os.getpid()]:
            for number in left:
                try:
                    os.kill(number, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.2)

    def ask(self, path, body=None):
        headers = {"Content-Type": "application/json"}
        if token := self.environment.get("RAY_AUTH_TOKEN"):
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/{path}", data, headers), timeout=20) as answer:
            return json.load(answer)
