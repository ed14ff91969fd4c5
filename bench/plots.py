"""Bars as SVG, legible on light and on dark pages."""

import math
import statistics
from xml.sax.saxutils import escape

from record import CEILINGS, PEERS, TITLES, short

WIDTH, LEFT, RIGHT, ROW, BAR = 860, 210, 150, 30, 16
STYLE = """text{font:13px system-ui,sans-serif;fill:#24292f}.soft{fill:#57606a}.head{font-weight:600}
.axis{stroke:#8c959f;stroke-width:1}.line{stroke:#24292f;stroke-width:1.5}.c0{fill:#c2410c}.c1{fill:#8c959f}.c2{fill:#0969da}
.c3{fill:#1a7f37}.c4{fill:#8250df}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.soft{fill:#9da7b1}.axis{stroke:#6e7681}.line{stroke:#e6edf3}
.c0{fill:#fb8f44}.c1{fill:#6e7681}.c2{fill:#58a6ff}.c3{fill:#3fb950}.c4{fill:#bc8cff}}"""
# Of which kind a program is, whoever's it is: what sends, what keeps, what queues.
KINDS = {"worker": ("programs", 0), "producer": ("programs", 0), "node": ("programs", 0), "postgres": ("PostgreSQL", 2),
         "kafka": ("Kafka", 3), "redis": ("Redis", 4)}
SHAPES = {"requests": "M-5,-5h10v10h-10z", "contacts": "M0,-6.5L6.5,0L0,6.5L-6.5,0z", "copy": "M0,-6L6,5H-6z", "kafka": "M0,6L6,-5H-6z",
          "commits": "M-2,-6h4v12h-4z"}

FANFARE = "M-6,0a6,6 0 1,0 12,0a6,6 0 1,0 -12,0z"


class Sheet:
    """Lines of a picture from above to below."""

    def __init__(self, title):
        self.parts, self.y = [], 26
        self.text(10, title, "head")
        self.y += 14

    def text(self, x, text, kind="", anchor="start"):
        self.parts.append(f'<text class="{kind}" x="{x:.1f}" y="{self.y + 4:.1f}" text-anchor="{anchor}">{escape(text)}</text>')

    def bar(self, x, width, colour):
        self.parts.append(f'<rect class="c{colour}" x="{x:.1f}" y="{self.y - BAR / 2:.1f}" width="{max(width, 1):.1f}" height="{BAR}" rx="2"/>')

    def span(self, low, high):
        for x, y, dx, dy in ((low, 0, high - low, 0), (low, -4, 0, 8), (high, -4, 0, 8)):
            self.parts.append(f'<path class="line" d="M{x:.1f},{self.y + y:.1f}l{dx:.1f},{dy}"/>')

    def mark(self, x, shape, colour):
        self.parts.append(f'<path class="c{colour}" transform="translate({x:.1f},{self.y:.1f})" d="{shape}"/>')

    def svg(self):
        height = self.y + 8
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">\n'
                f"<style>{STYLE}</style>\n" + "\n".join(self.parts) + "\n</svg>\n")


def peers(record):
    """Messages a second, Fanfare's and the peers'."""
    sheet, room = Sheet("Messages a second, one request each: more is better"), WIDTH - LEFT - RIGHT
    most = max(max(record.values(name, build)) for name in record.scenarios() if record.peers(name)
               for build in ("this", *record.peers(name)))
    for scenario in record.scenarios():
        for build in ("this", *record.peers(scenario)) if record.peers(scenario) else ():
            sheet.y += ROW
            values, colour = record.values(scenario, build), 0 if build == "this" else 1
            middle, low, high = (value * room / most for value in (statistics.median(values), min(values), max(values)))
            sheet.text(10, TITLES[scenario].partition(",")[0] if build == "this" else "", "head")
            sheet.text(LEFT - 10, "Fanfare" if build == "this" else PEERS[build].partition(",")[0], anchor="end")
            sheet.bar(LEFT, middle, colour)
            sheet.span(LEFT + low, LEFT + high)
            sheet.text(LEFT + high + 10, short(statistics.median(values)))
        sheet.y += 10 if record.peers(scenario) else 0
    return sheet.svg()


def cpu(record):
    """CPU a message, by what spends it."""
    sheet, room = Sheet("CPU seconds a million messages, without the simulator: less is better"), WIDTH - LEFT - RIGHT
    rows = [(name, build) for name in record.scenarios() if record.peers(name) for build in ("this", *record.peers(name))]
    most = max(sum(record.cpu(*which).values()) for which in rows)
    sheet.y += ROW - 8
    x = LEFT
    for label, colour in dict.fromkeys(KINDS.values()):
        sheet.mark(x + 5, SHAPES["requests"], colour)
        sheet.text(x + 16, label, "soft")
        x += 130
    for scenario, build in rows:
        sheet.y += ROW if build != "this" else ROW + 4
        used = {}
        for name, seconds in record.cpu(scenario, build).items():
            used[KINDS[name]] = used.get(KINDS[name], 0) + seconds
        sheet.text(10, TITLES[scenario].partition(",")[0] if build == "this" else "", "head")
        sheet.text(LEFT - 10, "Fanfare" if build == "this" else PEERS[build].partition(",")[0], anchor="end")
        x = LEFT
        for (_, colour), seconds in sorted(used.items(), key=lambda item: item[0][1]):
            sheet.bar(x, seconds * room / most, colour)
            x += seconds * room / most
        sheet.text(x + 10, short(sum(used.values())))
    sheet.y += 10
    return sheet.svg()


def ceilings(record):
    """How far what is done is from what the machine could do at each place, on a logarithmic scale."""
    sheet, room = Sheet("A second, beside what the machine could do at each place alone"), WIDTH - LEFT - 60
    rows = [name for name in record.scenarios() if record.ceilings(name)]
    known = [value for name in rows for values in (record.values(name), *record.ceilings(name).values()) for value in values]
    low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))

    def place(value):
        return LEFT + (math.log10(value) - low) * room / (high - low)
    sheet.y += ROW - 8
    x = LEFT
    for name, label in CEILINGS.items():
        sheet.mark(x + 5, SHAPES[name], 2)
        sheet.text(x + 16, label, "soft")
        x += 110
    sheet.mark(x + 5, FANFARE, 0)
    sheet.text(x + 16, "Fanfare", "soft")
    top = sheet.y + 14
    for scenario in rows:
        sheet.y += ROW + 4
        middle = statistics.median(record.values(scenario))
        sheet.text(LEFT - 10, TITLES[scenario].partition(",")[0], anchor="end")
        marks = {name: place(statistics.median(values)) for name, values in record.ceilings(scenario).items()}
        sheet.span(place(middle), min(marks.values()))
        sheet.mark(place(middle), FANFARE, 0)
        for name, x in marks.items():
            sheet.mark(x, SHAPES[name], 2)
    bottom = sheet.y + 16
    sheet.y = bottom + 14
    for power in range(low, high + 1):
        x = place(10 ** power)
        sheet.parts.insert(0, f'<path class="axis" stroke-dasharray="2 4" d="M{x:.1f},{top}V{bottom}"/>')
        sheet.text(x, short(10 ** power), "soft", "middle")
    return sheet.svg()
