#!/usr/bin/env python3
"""Prints a part of a job's results, for Vise to read from this job's log.

usage: fetch.py DIRECTORY                        names and bytes of what there is
       fetch.py DIRECTORY NAME OFFSET LENGTH     that part of a file, in base64
"""

import base64
import json
import sys
from pathlib import Path

# What a job makes for others; all else in its folder is its own.
RESULTS = ("evaluation.json", "sensitivity.safetensors", "model")


def files(folder):
    for name in RESULTS:
        place = folder / name
        inside = sorted(place.rglob("*")) if place.is_dir() else [place]
        yield from ({"name": str(path.relative_to(folder)), "bytes": path.stat().st_size} for path in inside if path.is_file())


def main():
    folder = Path(sys.argv[1]).expanduser().resolve()
    if len(sys.argv) == 2:
        print("vise-files: " + json.dumps(list(files(folder))), flush=True)
        return
    name, offset, length = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    path = (folder / name).resolve()
    if folder not in path.parents:
        raise SystemExit(f"{name}: is not in {folder}")
    with path.open("rb") as file:
        file.seek(offset)
        print("vise-data: " + base64.b64encode(file.read(length)).decode("ascii"), flush=True)


if __name__ == "__main__":
    main()
