"""Draws what happened in a run as one page that needs nothing else: faults above, curves below, on one axis of time."""

import html

WIDTH, LEFT, RIGHT, ROW, PLOT, GAP = 1180, 150, 20, 16, 150, 34
COLORS = ("#3274d9", "#d9541e", "#37872d", "#a352cc", "#b8860b", "#1f9e9e")
STYLE = """body{font:14px/1.45 system-ui,sans-serif;color:#24292e;background:#fff;margin:24px;max-width:1180px}
h1{font-size:20px;margin:0 0 4px}p{margin:4px 0 14px}table{border-collapse:collapse;margin:12px 0}
td,th{padding:2px 14px 2px 0;text-align:left;font-variant-numeric:tabular-nums}th{font-weight:600}
svg text{font:11px system-ui,sans-serif;fill:#57606a}.bad{color:#b3261e;font-weight:600}.good{color:#1a6e2e;font-weight:600}"""


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:,.2f}"


def ceiling(value):
    """The next round figure at or above it: where an axis ends."""
    if value <= 0:
        return 1
    power = 10 ** (len(str(int(value))) - 1) if value >= 1 else 0.1
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


class Page:
    """One drawing: lanes of faults, then curves. Times are seconds from the beginning of the run."""

    def __init__(self, seconds):
        self.seconds, self.y, self.parts = max(seconds, 1), 4, []

    def x(self, at_s):
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(at_s, 0), self.seconds) / self.seconds

    def text(self, x, y, words, anchor="start"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(str(words))}</text>')

    def lane(self, name, bars, color="#b3261e"):
        """bars: (from, to, what is shown of it)."""
        self.text(LEFT - 8, self.y + 11, f"{name} × {len(bars)}", "end")
        self.parts.append(f'<line x1="{LEFT}" y1="{self.y + ROW - 1}" x2="{WIDTH - RIGHT}" y2="{self.y + ROW - 1}" stroke="#eaeef2"/>')
        for begun, ended, words in bars:
            width = max(self.x(ended) - self.x(begun), 2)
            self.parts.append(f'<rect x="{self.x(begun):.1f}" y="{self.y + 2}" width="{width:.1f}" height="{ROW - 5}" '
                              f'fill="{color}" fill-opacity="0.75"><title>{html.escape(words)}</title></rect>')
        self.y += ROW

    def axis(self, step_s=None):
        """Ticks of time under what has been drawn."""
        step_s = step_s or next(s for s in (5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 1e9) if self.seconds / s <= 16)
        at_s = 0
        while at_s <= self.seconds:
            words = f"{at_s / 60:g} min" if step_s >= 30 else f"{at_s:g} s"
            self.text(self.x(at_s), self.y + 14, words, "middle")
            at_s += step_s
        self.y += GAP

    def curves(self, title, series, unit=""):
        """series: name -> [(at_s, value)]; all on one scale from nought."""
        top, bottom = self.y + 16, self.y + 16 + PLOT
        most = ceiling(max((value for points in series.values() for _, value in points), default=0))
        self.text(LEFT, self.y + 8, title)
        for share in (0, 0.5, 1):
            y = bottom - PLOT * share
            self.parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#d0d7de"/>')
            self.text(LEFT - 8, y + 4, f"{number(most * share)}{unit}", "end")
        for index, (name, points) in enumerate(series.items()):
            color = COLORS[index % len(COLORS)]
            path = " ".join(f"{self.x(at_s):.1f},{bottom - PLOT * value / most:.1f}" for at_s, value in points)
            self.parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.4"/>')
            if len(series) > 1:
                self.parts.append(f'<text x="{WIDTH - RIGHT}" y="{self.y + 8 + 12 * index}" text-anchor="end" '
                                  f'style="fill:{color}">{html.escape(name)}</text>')
        self.y = bottom
        self.axis()

    def svg(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.y}" width="{WIDTH}" role="img">'
                + "".join(self.parts) + "</svg>")


def table(rows):
    """(name, value, or name, value, whether it is as it should be)."""
    cells = []
    for name, value, *good in rows:
        kind = f' class="{"good" if good[0] else "bad"}"' if good else ""
        cells.append(f"<tr><th>{html.escape(name)}</th><td{kind}>{html.escape(str(value))}</td></tr>")
    return f"<table>{''.join(cells)}</table>"


def write(file, title, words, rows, page):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
                    f"<style>{STYLE}</style><h1>{html.escape(title)}</h1><p>{html.escape(words)}</p>{table(rows)}"
                    f"{page.svg()}</html>\n", encoding="utf-8")
