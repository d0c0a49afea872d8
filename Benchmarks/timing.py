"""How long programs take, and how figures are written."""
import resource
import statistics
import subprocess
import sys
import time


def ran(*command, seen=None):
    """Seconds by the clock and of the processors; and, where `seen` is given, when standard error first held it."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    first, last = None, ""
    for line in process.stderr:
        last = line.strip() or last
        if seen and first is None and seen in line:
            first = time.monotonic() - start
    if process.wait():
        sys.exit(f"{' '.join(command)}: {last}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - start, used, first


def spread(values, digits=1):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
