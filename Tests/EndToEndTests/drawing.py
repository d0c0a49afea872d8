"""Draws screens of a terminal as one SVG file: text, boxes, blocks and dots, frames that follow one another by CSS."""
import re
import unicodedata
from html import escape

WIDTH, HEIGHT = 8, 17
MARGIN, FOOT = 12, 30
GROUND, INK, FAINT, ACCENT = "#14171c", "#d5dbe3", "#8f99a8", "#7fb8ff"
ANSI = ["#000000", "#cd3131", "#0dbc79", "#e5e510", "#2472c8", "#bc3fbc", "#11a8cd", "#e5e5e5",
        "#666666", "#f14c4c", "#23d18b", "#f5f543", "#3b8eea", "#d670d6", "#29b8db", "#ffffff"]
#: Lines of box drawing as the sides that they reach: left, up, right, down.
LINES = {"─": "lr", "━": "lr", "│": "ud", "┃": "ud", "├": "udr", "┤": "udl", "┬": "lrd", "┴": "lru", "┼": "lrud",
         "╭": "rd", "╮": "ld", "╰": "ru", "╯": "lu", "┌": "rd", "┐": "ld", "└": "ru", "┘": "lu",
         "╴": "l", "╵": "u", "╶": "r", "╷": "d"}
SHADES = {"░": .25, "▒": .5, "▓": .75}


def block(character):
    """The part of its cell that a block element fills: x, y, width and height from 0 to 1; None for others."""
    code = ord(character)
    if character == "▀":
        return 0, 0, 1, .5
    if character == "▐":
        return .5, 0, .5, 1
    if 0x2581 <= code <= 0x2588:
        return 0, 1 - (code - 0x2580) / 8, 1, (code - 0x2580) / 8
    if 0x2589 <= code <= 0x258F:
        return 0, 0, (0x2590 - code) / 8, 1
    return None


def indexed(number):
    if number < 16:
        return ANSI[number]
    if number < 232:
        levels = [0, 95, 135, 175, 215, 255]
        number -= 16
        return "#%02x%02x%02x" % (levels[number // 36], levels[number // 6 % 6], levels[number % 6])
    return "#" + "%02x" % (8 + 10 * (number - 232)) * 3


class Pen:
    """The state that SGR sequences change."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.ink = self.ground = None
        self.flags = frozenset()

    def take(self, sequence):
        numbers = [int(word or 0) for word in re.split("[;:]", sequence)] or [0]
        while numbers:
            number = numbers.pop(0)
            if number == 0:
                self.reset()
            elif number in (1, 2, 3, 4, 7):
                self.flags |= {number}
            elif number in (22, 23, 24, 27):
                self.flags -= {1, 2} if number == 22 else {number - 20}
            elif number in (38, 48):
                if numbers[:1] == [2]:
                    color = "#%02x%02x%02x" % tuple(numbers[1:4])
                    del numbers[:4]
                else:
                    color = indexed(numbers[1])
                    del numbers[:2]
                self.set(number == 38, color)
            elif number in (39, 49):
                self.set(number == 39, None)
            elif 30 <= number <= 37 or 90 <= number <= 97:
                self.set(True, ANSI[number - 30 if number < 90 else number - 82])
            elif 40 <= number <= 47 or 100 <= number <= 107:
                self.set(False, ANSI[number - 40 if number < 100 else number - 92])

    def set(self, is_ink, color):
        if is_ink:
            self.ink = color
        else:
            self.ground = color

    @property
    def style(self):
        ink, ground = self.ink or INK, self.ground or GROUND
        if 7 in self.flags:
            ink, ground = ground, ink
        return ink, ground, self.flags & {1, 2, 3, 4}


def cells(line, pen):
    """The cells of a captured line: characters with their style; a wide character is followed by an empty one.

    What a line sets holds in the lines below it too: `pen` goes on.
    """
    result = []
    for piece in re.split(r"(\x1b\[[0-9;:]*m)", line.replace("\x0e", "").replace("\x0f", "")):
        if piece.startswith("\x1b["):
            pen.take(piece[2:-1])
            continue
        for character in piece:
            if unicodedata.combining(character):
                continue
            result.append((character, pen.style))
            if unicodedata.east_asian_width(character) in "WF":
                result.append(("", pen.style))
    return result


def number(value):
    return f"{value:.1f}".rstrip("0").rstrip(".")


class Drawing:
    def __init__(self, columns, rows, title):
        self.columns, self.rows, self.title = columns, rows, title
        self.classes, self.dots = {}, {}

    def name(self, table, key, prefix):
        return table.setdefault(key, f"{prefix}{len(table)}")

    # What a row is made of: elements as text, which are the same wherever they are the same.

    def row(self, y, line, pen):
        top = MARGIN + y * HEIGHT
        line = cells(line, pen)[:self.columns]
        yield from self.grounds(top, line)
        for start, end, kind in self.runs(line):
            ink, _, flags = line[start][1]
            characters = "".join(character for character, _ in line[start:end])
            x = MARGIN + start * WIDTH
            if kind == "text":
                style = self.name(self.classes, (ink, flags), "c")
                yield (f'<text x="{x}" y="{top + 13}" class="{style}" textLength="{(end - start) * WIDTH}">'
                       f"{escape(characters)}</text>")
            elif kind == "dots":
                yield f'<path fill="url(#{self.name(self.dots, ink, "d")})" d="{self.dotted(x, top, characters)}"/>'
            elif kind == "line":
                wide = ' stroke-width="2"' if characters[0] in "━┃" else ""
                yield f'<path stroke="{ink}"{wide} d="{self.lined(x, top, characters)}"/>'
            else:
                shade = SHADES.get(characters[0])
                opacity = f' opacity="{shade}"' if shade else ""
                yield f'<path fill="{ink}"{opacity} d="{self.filled(x, top, characters)}"/>'

    def grounds(self, top, line):
        start = 0
        for column in range(1, len(line) + 1):
            if column < len(line) and line[column][1][1] == line[start][1][1]:
                continue
            ground = line[start][1][1]
            if ground != GROUND:
                yield (f'<rect x="{MARGIN + start * WIDTH}" y="{top}" width="{(column - start) * WIDTH}" '
                       f'height="{HEIGHT}" fill="{ground}"/>')
            start = column

    def runs(self, line):
        """Stretches of one kind and one style: start, end, kind. Two blanks end a text."""
        start = 0
        while start < len(line):
            kind = self.kind(line[start][0])
            if kind is None:
                start += 1
                continue
            end = start + 1
            while end < len(line) and line[end][1][0] == line[start][1][0] and line[end][1][2] == line[start][1][2]:
                here = self.kind(line[end][0])
                if kind == "text" and here is None and end + 1 < len(line) and self.kind(line[end + 1][0]) == "text" \
                        and line[end + 1][1] == line[start][1]:
                    end += 1
                elif here != kind or kind == "shade" and line[end][0] != line[start][0]:
                    break
                else:
                    end += 1
            yield start, end, kind
            start = end

    @staticmethod
    def kind(character):
        if character in ("", " "):
            return None
        if character in LINES:
            return "line"
        if character in SHADES:
            return "shade"
        if 0x2800 <= ord(character) < 0x2900:
            return "dots"
        return "block" if block(character) else "text"

    @staticmethod
    def filled(x, top, characters):
        path, full = "", 0
        for place, character in enumerate(characters + " "):
            if character == "█" or character in SHADES:
                full += 1
                continue
            if full:
                path += f"M{x + (place - full) * WIDTH} {top}h{full * WIDTH}v{HEIGHT}h-{full * WIDTH}z"
                full = 0
            if part := block(character):
                left, upper, width, height = part
                path += (f"M{number(x + (place + left) * WIDTH)} {number(top + upper * HEIGHT)}h{number(width * WIDTH)}"
                         f"v{number(height * HEIGHT)}h-{number(width * WIDTH)}z")
        return path

    @staticmethod
    def lined(x, top, characters):
        path = ""
        for place, character in enumerate(characters):
            sides = LINES[character]
            left, middle = x + place * WIDTH, number(top + HEIGHT / 2)
            center = number(left + WIDTH / 2)
            if character in "╭╮╰╯":
                end = left + WIDTH if "r" in sides else left
                edge = top + HEIGHT if "d" in sides else top
                path += f"M{end} {middle}Q{center} {middle} {center} {edge}"
                continue
            if "l" in sides and "r" in sides:
                if place and "r" in LINES[characters[place - 1]] and path.endswith(f"H{left}"):
                    path = path[:-len(f"H{left}")] + f"H{left + WIDTH}"
                else:
                    path += f"M{left} {middle}H{left + WIDTH}"
            elif "l" in sides:
                path += f"M{left} {middle}H{center}"
            elif "r" in sides:
                path += f"M{center} {middle}H{left + WIDTH}"
            if "u" in sides and "d" in sides:
                path += f"M{center} {top}v{HEIGHT}"
            elif "u" in sides:
                path += f"M{center} {top}V{middle}"
            elif "d" in sides:
                path += f"M{center} {middle}V{top + HEIGHT}"
        return path

    @staticmethod
    def dotted(x, top, characters):
        """Braille dots as stretches of a pattern: bits 1 to 3 and 7 are the left column, 4 to 6 and 8 the right one."""
        path = ""
        for line, (left, right) in enumerate([(0, 3), (1, 4), (2, 5), (6, 7)]):
            bits = [bool(ord(c) - 0x2800 >> bit & 1) for c in characters for bit in (left, right)] + [False]
            start = None
            for place, is_set in enumerate(bits):
                if is_set and start is None:
                    start = place
                elif not is_set and start is not None:
                    width = (place - start) * WIDTH // 2
                    path += f"M{x + start * WIDTH // 2} {number(top + line * HEIGHT / 4)}h{width}v4.2h-{width}z"
                    start = None
        return path

    # All frames together.

    def svg(self, frames):
        total = sum(frame[2] for frame in frames)
        seen, order = {}, []
        begin = 0
        for lines, (caption, keys), milliseconds in frames:
            pen = Pen()
            elements = [element for y, line in enumerate(lines) for element in self.row(y, line, pen)]
            elements += self.foot(caption, keys)
            for element in elements:
                if element not in seen:
                    seen[element] = []
                    order.append(element)
                spans = seen[element]
                if spans and spans[-1][1] == begin:
                    spans[-1][1] = begin + milliseconds
                else:
                    spans.append([begin, begin + milliseconds])
            begin += milliseconds
        # Grounds lie below what is written on them, whenever they show.
        groups = {}
        for element in sorted(order, key=lambda element: not element.startswith("<rect")):
            groups.setdefault((element.startswith("<rect"), tuple(map(tuple, seen[element]))), []).append(element)
        body, rules, names = [], [], {}
        for (_, spans), elements in groups.items():
            if spans == ((0, total),):
                body.append("".join(elements))
                continue
            if spans not in names:
                names[spans] = f"k{len(rules)}"
                rules.append(self.rule(names[spans], spans, total))
            body.append(f'<g class="{names[spans]}">' + "".join(elements) + "</g>")
        return self.document("\n".join(body), rules)

    @staticmethod
    def rule(name, spans, total):
        stops, edge = [], 0
        for start, end in spans:
            if start > edge or edge == 0 and start > 0:
                stops.append(f"{number(100 * edge / total)}%{{visibility:hidden}}")
            stops.append(f"{100 * start / total:.2f}%{{visibility:visible}}")
            edge = end
        if edge < total:
            stops.append(f"{100 * edge / total:.2f}%{{visibility:hidden}}")
        at_the_end = "visible" if edge == total else "hidden"
        return (f"@keyframes {name}{{{''.join(stops)}}}.{name}{{visibility:{at_the_end};"
                f"animation:{name} {number(total / 1000)}s step-end infinite}}")

    def foot(self, caption, keys):
        y = MARGIN * 2 + self.rows * HEIGHT + 12
        shown = {"Enter": "⏎", "Escape": "Esc", "Space": "space"}
        pressed = " ".join(shown.get(key, re.sub("^C-", "ctrl-", key)) for key in keys)
        yield f'<text x="{MARGIN}" y="{y}" class="say">{escape(caption)}</text>'
        if pressed:
            yield (f'<text x="{MARGIN + self.columns * WIDTH}" y="{y}" class="keys" text-anchor="end">'
                   f"{escape(pressed)}</text>")

    def document(self, body, rules):
        width, height = self.columns * WIDTH + 2 * MARGIN, self.rows * HEIGHT + 2 * MARGIN + FOOT
        styles = [f".{name}{{fill:{ink}" + (";font-weight:bold" if 1 in flags else "")
                  + (";opacity:.6" if 2 in flags else "") + (";font-style:italic" if 3 in flags else "")
                  + (";text-decoration:underline" if 4 in flags else "") + "}"
                  for (ink, flags), name in self.classes.items()]
        patterns = "".join(
            f'<pattern id="{name}" width="4" height="4.25" patternUnits="userSpaceOnUse" y="{MARGIN}" x="{MARGIN}">'
            f'<rect x=".8" y=".8" width="2.4" height="2.6" rx="1" fill="{ink}"/></pattern>'
            for ink, name in self.dots.items())
        still = "@media (prefers-reduced-motion:reduce){g{animation:none!important}}" if rules else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">\n'
            f"<title>{escape(self.title)}</title>\n"
            "<style>text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}"
            f"path[stroke]{{fill:none}}.say{{fill:{INK}}}.keys{{fill:{ACCENT};font-weight:bold}}"
            f"{''.join(styles)}{''.join(rules)}{still}</style>\n"
            f"<defs>{patterns}</defs>\n"
            f'<rect width="{width}" height="{height}" rx="8" fill="{GROUND}"/>\n{body}\n</svg>\n')
