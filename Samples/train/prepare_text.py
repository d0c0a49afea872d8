#!/usr/bin/env python3
"""Builds the sample model's texts from English prose that Debian packages hold.

    prepare_text.py FOLDER

writes train.txt, validation.txt, calibration.txt and evaluation.txt there. Two sources, both in the
public domain: the King James Bible (packages bible-kjv and bible-kjv-text, read through the command
`bible`) and Jane Austen's novels (package r-cran-janeaustenr, read through `Rscript`). Whole books
are held out: none of their text is trained on. The same packages give the same bytes.
"""

import pathlib
import re
import subprocess
import sys

END_OF_TEXT = "<|endoftext|>"
PARAGRAPH = 420  # characters after which the next sentence end closes a paragraph of scripture
HELD_OUT_SIZE = 64_000  # characters of each held-out book that go into its text
VALIDATION_SIZE = 32_000  # characters after those, of each evaluation book

# Books by the abbreviations that `bible -f` prints, and novels by their titles.
CALIBRATION = ("1Sm", "Persuasion")
EVALUATION = ("Acts", "Northanger Abbey")


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def scripture() -> dict[str, list[str]]:
    """Every book as a list of chapters; verses flow into paragraphs, their numbers dropped."""
    chapters: dict[tuple[str, int], list[str]] = {}
    for line in run("bible", "-f", "Gen 1:1-Rev 22:21").splitlines():
        match = re.fullmatch(r"((?:[1-3])?[A-Za-z]+)(\d+):\d+ (.*)", line.strip())
        if match is None:
            raise SystemExit(f"prepare_text: unexpected line from bible: {line!r}")
        chapters.setdefault((match[1], int(match[2])), []).append(tidy(match[3]))

    books: dict[str, list[str]] = {}
    for (book, _), verses in chapters.items():
        paragraphs, current = [], ""
        for verse in verses:
            current = f"{current} {verse}".strip()
            if len(current) >= PARAGRAPH and current[-1] in ".?!":
                paragraphs.append(current)
                current = ""
        if current:
            paragraphs.append(current)
        books.setdefault(book, []).append("\n\n".join(paragraphs))
    return books


def novels() -> dict[str, list[str]]:
    """Every novel as a list of chapters; lines joined into paragraphs, headings dropped."""
    script = (
        "d <- janeaustenr::austen_books(); "
        "for (b in unique(as.character(d$book))) { "
        "cat('@@', b, '\\n', sep = ''); writeLines(d$text[d$book == b]) }"
    )
    books: dict[str, list[str]] = {}
    for part in run("Rscript", "-e", script).split("@@")[1:]:
        title, _, text = part.partition("\n")
        chapters = re.split(r"(?mi)^(?:chapter|volume)\s+[\divxlc]+\.?.*$", text)[1:]
        told = [novel_chapter(chapter) for chapter in chapters]
        books[title.strip()] = [chapter for chapter in told if chapter]
    return books


def novel_chapter(text: str) -> str:
    paragraphs = (tidy(paragraph) for paragraph in re.split(r"\n\s*\n", text))
    return "\n\n".join(p for p in paragraphs if len(p) >= 12 and not p.isupper())


def tidy(text: str) -> str:
    """One line with single spaces, without the marks of emphasis and editing."""
    text = re.sub(r"[_\[\]<>{}]", "", text)
    text = text.replace("--", " - ")
    return re.sub(r"\s+", " ", text).strip()


def split(chapters: list[str], size: int) -> tuple[str, str]:
    """A book's text cut in two between paragraphs, the first part about `size` characters long."""
    text = "\n\n".join(chapters)
    end = text.index("\n\n", size)
    return text[:end], text[end + 2 :]


def write(path: pathlib.Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    print(f"{path.name}: {len(text.encode())} bytes")


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    books = scripture() | novels()

    calibration = [split(books[book], HELD_OUT_SIZE)[0] for book in CALIBRATION]
    write(folder / "calibration.txt", "\n\n".join(calibration) + "\n")

    # What follows the evaluation passages chooses the checkpoint, so that they stay untouched.
    parts = [split(books[book], HELD_OUT_SIZE) for book in EVALUATION]
    write(folder / "evaluation.txt", "\n\n".join(first for first, _ in parts) + "\n")
    validation = [split([rest], VALIDATION_SIZE)[0] for _, rest in parts]
    write(folder / "validation.txt", "\n\n".join(validation) + "\n")

    trained = [book for book in books if book not in CALIBRATION + EVALUATION]
    chapters = [chapter for book in trained for chapter in books[book]]
    write(folder / "train.txt", "".join(chapter + END_OF_TEXT for chapter in chapters))


if __name__ == "__main__":
    main()
