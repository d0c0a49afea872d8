"""Pages of results whose tables are replaced one by one."""
import os


def write(path, title, lines):
    """Puts a section in its place, or at the end; what is known of it after every line."""
    known = []
    for line in lines:
        known.append(line)
        rewrite(path, lambda sections: {**sections, title: ["", *known, ""]})


def rewrite(path, change):
    """Changes a file's sections: lines by title, what stands before the first under no title."""
    sections, title = {"": []}, ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file.read().splitlines():
                if line.startswith("## "):
                    title = line.removeprefix("## ")
                    sections[title] = []
                else:
                    sections[title].append(line)
    with open(path, "w", encoding="utf-8") as file:
        for title, lines in change(sections).items():
            file.write("\n".join([f"## {title}"] * bool(title) + lines) + "\n")
