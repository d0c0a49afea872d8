"""The binary at work on one model, whose files lie in a common folder under the model's name."""
import os
import subprocess
import sys
import time


class ViseRuns:
    """Runs of the binary; `options` has its path and that of the work folder."""

    def __init__(self, options, name, title, source):
        self.options, self.name, self.title, self.source = options, name, title, source

    def path(self, name):
        return os.path.join(self.options.work, f"{self.name}-{name}")

    def run(self, *arguments):
        """What it printed; how long it took goes to standard error."""
        start = time.monotonic()
        process = subprocess.run([self.options.binary, *arguments], capture_output=True, text=True)
        if process.returncode:
            sys.exit(f"vise {' '.join(arguments)}: {process.stderr.strip()}")
        print(f"{time.monotonic() - start:7.1f} s  vise {' '.join(arguments)}", file=sys.stderr)
        return process.stdout
