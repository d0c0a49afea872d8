"""Checks that the folders of a room use each other in one direction only, by the types that their files name.

    python3 folder_order.py SOURCES ROOM...

A type belongs to the folder that declares it at the top level; nested types and extensions are not followed. Exit status 1 and
a line for each pair of folders that point both ways, directly or by a detour.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

DECLARATION = re.compile(
    r"^(?:public |package |final |indirect )*(?:struct|enum|class|protocol|actor|typealias) (\w+)", re.M
)
COMMENT_OR_TEXT = re.compile(r'//[^\n]*|"(?:\\.|[^"\\\n])*"')


def uses_by_folder(room: Path) -> dict[str, dict[str, set[str]]]:
    """For each folder the folders that it uses, with the names of files and types that show it."""
    texts = {
        path.relative_to(room): COMMENT_OR_TEXT.sub("", path.read_text()) for path in room.rglob("*.swift")
    }
    folder = {path: path.parts[0] if len(path.parts) > 1 else "." for path in texts}
    home = {name: folder[path] for path, text in texts.items() for name in DECLARATION.findall(text)}
    nested = {
        path: set(re.findall(r"^ +(?:\w+ )*(?:struct|enum|class) (\w+)", text, re.M)) for path, text in texts.items()
    }
    uses: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path, text in texts.items():
        for name in set(re.findall(r"\b[A-Z]\w+", text)) - nested[path]:
            if name in home and home[name] != folder[path]:
                uses[folder[path]][home[name]].add(f"{path.name} names {name}")
    return uses


def reached(uses: dict[str, dict[str, set[str]]], start: str) -> set[str]:
    """All folders that `start` uses, directly or by way of others."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for folder in uses.get(waiting.pop(), {}):
            if folder not in found:
                found.add(folder)
                waiting.append(folder)
    return found


def main() -> int:
    sources, rooms = Path(sys.argv[1]), sys.argv[2:]
    flaws = 0
    for room in rooms:
        if not list((sources / room).rglob("*.swift")):
            print(f"{room}: there is no such room in {sources}")
            flaws += 1
            continue
        uses = uses_by_folder(sources / room)
        for first in sorted(uses):
            for second in sorted(uses[first]):
                if first in reached(uses, second):
                    examples = "; ".join(sorted(uses[first][second])[:3])
                    print(f"{room}: {first} uses {second}, which uses it in turn ({examples})")
                    flaws += 1
    return 1 if flaws else 0


if __name__ == "__main__":
    sys.exit(main())
