#!/usr/bin/env python3
"""Writes vise.1 from what the program says of its own commands.

    make_man.py .build/release/vise > docs/man/vise.1

The program prints its commands and options as JSON; this puts them into mdoc, which groff and mandoc read. Needs Python's
standard library only.
"""
import json
import re
import subprocess
import sys
import textwrap

HEAD = """\
.\\" Made by docs/man/make_man.py from what the program says of itself: make man.
.Dd $Mdocdate$
.Dt VISE 1
.Os
"""

MIDDLE = """\
.Sh ENVIRONMENT
.Bl -tag -width Ds
.It Ev NO_COLOR
where it is not empty, the workbench tells nothing by colour.
.It Ev COLORTERM , Ev TERM , Ev COLORFGBG
say how many colours the terminal has, and, where it does not answer,
whether its ground is light.
.It Ev XDG_CONFIG_HOME
where a user's own themes, keys and machines are, in the folder
.Pa vise ;
.Pa ~/.config
where it is not set.
.It Ev XDG_STATE_HOME
where sessions are kept, in the folder
.Pa vise ;
.Pa ~/.local/state
where it is not set.
.It Ev XDG_RUNTIME_DIR
where engines listen for their workbenches.
.El
.Sh FILES
.Bl -tag -width Ds
.It Pa ~/.config/vise/keys.yaml
keys of one's own.
.It Pa ~/.config/vise/themes
themes of one's own, a YAML file each.
.It Pa ~/.config/vise/machines
machines that models are fitted to, a YAML file each.
.It Pa ~/.local/state/vise
sessions, snapshots, evaluations and sensitivity.
.El
"""


def text(words):
    """Words as text lines: nothing in them is a macro or an escape, and sentences begin lines."""
    words = words.replace("\\", "\\e").replace("-", "\\-")
    words = re.sub(r"`([^`]*)`", r"\\fB\1\\fR", words)
    lines = []
    for sentence in re.split(r"(?<=[.:]) (?=[A-Z\\])", words):
        lines += textwrap.wrap(sentence, 78, break_long_words=False, break_on_hyphens=False)
    return "\n".join(re.sub(r"^([.'])", r"\\&\1", line) for line in lines)


def argument(words):
    """One argument of a macro."""
    words = words.replace("\\", "\\e").replace('"', '\\(dq')
    return f'"\\&{words}"'


def paragraphs(words):
    """A discussion: paragraphs, and lines that are indented as they are."""
    for block in words.split("\n\n"):
        lines = block.split("\n")
        plain = [line for line in lines if not line.startswith("  ")]
        listed = [line for line in lines if line.startswith("  ")]
        yield ".Pp"
        if plain:
            yield text(" ".join(plain))
        if listed:
            yield ".Bd -literal -offset indent -compact"
            yield from (text(line.strip()) for line in listed)
            yield ".Ed"


def shown(entries):
    return [entry for entry in entries if entry.get("shouldDisplay", True)]


def synopsis(option):
    value = option.get("valueName", "")
    if option["kind"] == "positional":
        words = f"Ar {argument(value)}"
        if option["isRepeating"]:
            words += " ..."
    else:
        name = option["preferredName"]
        words = "Fl " + (name["name"] if name["kind"] == "short" else "\\-" + name["name"].replace("-", "\\-"))
        if option["kind"] == "option":
            words += f" Ar {argument(value)}"
    return f".Op {words}" if option["isOptional"] else f".{words}"


def entry(option):
    """An option in a list: its names, what it does, what it may be and what it is by default."""
    if option["kind"] == "positional":
        head = f".It Ar {argument(option['valueName'])}"
    else:
        value = f" Ar {argument(option['valueName'])}" if option["kind"] == "option" else ""
        names = [name["name"] if name["kind"] == "short" else "\\-" + name["name"].replace("-", "\\-")
                 for name in option["names"]]
        head = ".It " + " , ".join(f"Fl {name}{value}" for name in names)
    yield head
    sentence = option.get("abstract", "")
    if option.get("defaultValue"):
        sentence += f" The default is {option['defaultValue']}."
    yield text(sentence) if sentence else "\\&"


def command(description, program):
    name = description["commandName"]
    yield f".Ss {program} {name}"
    yield text(description.get("abstract", ""))
    yield ".Pp"
    yield f".Nm {program}"
    yield f".Cm {name}"
    options = [option for option in shown(description.get("arguments", []))
               if option.get("valueName") not in ("help", "version")]
    for option in sorted(options, key=lambda option: option["kind"] == "positional"):
        yield synopsis(option)
    if description.get("discussion"):
        yield from paragraphs(description["discussion"])
    if options:
        yield ".Bl -tag -width Ds"
        for option in options:
            yield from entry(option)
        yield ".El"


def page(root):
    program = root["commandName"]
    commands = shown(root["subcommands"])
    yield ".Sh NAME"
    yield f".Nm {program}"
    yield f".Nd {text(root['abstract'][:1].lower() + root['abstract'][1:].rstrip('.'))}"
    yield ".Sh SYNOPSIS"
    yield f".Nm {program}"
    yield ".Op Ar model"
    yield f".Nm {program}"
    yield ".Ar command"
    yield ".Op Ar options"
    yield ".Sh DESCRIPTION"
    discussion, _, statuses = root["discussion"].partition("Exit status:\n")
    yield from list(paragraphs(discussion.strip()))[1:]
    yield ".Pp"
    yield "The commands are:"
    yield ".Bl -tag -width sensitivity -compact"
    for each in commands:
        yield f".It Cm {each['commandName']}"
        yield text(each.get("abstract", ""))
    yield ".El"
    yield ".Sh COMMANDS"
    for each in commands:
        yield from command(each, program)
    yield MIDDLE.rstrip("\n")
    yield ".Sh EXIT STATUS"
    yield ".Bl -tag -width 130 -compact"
    for line in statuses.strip().split("\n"):
        status, meaning = line.split(None, 1)
        yield f".It {status}"
        yield text(meaning)
    yield ".El"


def main():
    dump = subprocess.run([sys.argv[1], "--experimental-dump-help"], check=True, capture_output=True, text=True).stdout
    sys.stdout.write(HEAD + "\n".join(page(json.loads(dump)["command"])) + "\n")


if __name__ == "__main__":
    main()
