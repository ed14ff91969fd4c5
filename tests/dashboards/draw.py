#!/usr/bin/env python3
"""Draws each dashboard from what a run answered, one picture a dashboard, roughly as Grafana lays it out.

usage: draw.py ANSWERS FOLDER    ANSWERS as `tests/e2e/dashboards_test.py --keep ANSWERS` wrote them

Needs matplotlib and pillow from PyPI, in any venv. For people to look at; no test compares pictures."""

import io
import json
import pathlib
import re
import sys
from datetime import datetime, timezone
from string import ascii_uppercase

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib import dates  # noqa: E402
from PIL import Image  # noqa: E402

from panels import dashboards, panels  # noqa: E402

WIDTH, UNIT, DPI, GAP = 24, 0.27, 96, 0.12  # Grid columns; inches of a grid row and between panels.
PALETTE = ["#3274d9", "#e0752d", "#37872d", "#a352cc", "#e02f44", "#c69b06", "#1f9e9e", "#8f3bb8", "#7a5c3c", "#5c6b7a"]
COLORS = {"green": "#37872d", "yellow": "#d9a406", "red": "#d10e24", "blue": "#3274d9", "orange": "#e8730c", "purple": "#8f3bb8",
          "text": "#8a8f98", "dark-green": "#19730e", "super-light-green": "#9fd890", "light-yellow": "#e6c84e",
          "light-blue": "#8ab8ff", "dark-purple": "#5a1a86", "light-purple": "#c792e0", "light-orange": "#f4b06a",
          "dark-orange": "#a84b00", "dark-red": "#8f0a17"}
INK, PALE = "#24292e", "#d5d9de"
SERIES_SHOWN, ROWS_SHOWN, CHARACTERS_SHOWN = 8, 9, 24


def shown(value, unit, decimals=None):
    """A number as Grafana would write it."""
    if isinstance(value, str) or value is None:
        return (value or "")[11:19] if unit == "dateTimeAsLocal" else cut(value or "")
    if unit == "percentunit":
        return f"{100 * value:.3g}%"
    if unit in ("dateTimeFromNow", "dateTimeAsLocal"):
        return datetime.fromtimestamp(value / 1000, timezone.utc).strftime("%H:%M:%S")
    if unit == "s" and value:
        for most, factor, word in ((1e-3, 1e6, "µs"), (1, 1e3, "ms"), (120, 1, "s"), (7200, 1 / 60, "min"), (172800, 1 / 3600, "h")):
            if abs(value) < most:
                return f"{value * factor:.3g} {word}"
        return f"{value / 86400:.3g} d"
    if unit in ("short", "bytes"):
        for factor, word in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= (factor if unit == "bytes" else 10 * factor):
                return f"{value / factor:.3g} {word}{'B' if unit == 'bytes' else ''}"
    suffix = {"people/s": "/s", "reqps": "/s", "cps": "/s", "cpm": "/min"}.get(unit, "")
    return (f"{value:.0f}" if decimals == 0 or abs(value) >= 100 or value == round(value) else f"{value:.3g}") + suffix


def cut(text):
    return text if len(text) <= CHARACTERS_SHOWN else text[:CHARACTERS_SHOWN - 1] + "…"


def named(target, one):
    return re.sub(r"\{\{(\w+)\}\}", lambda found: one["labels"].get(found.group(1), ""), target["legendFormat"]).strip()


class Sheet:
    """One panel on the picture."""

    def __init__(self, axes, body, answers, window):
        self.axes, self.body, self.answers, self.window = axes, body, answers, window
        self.defaults = body["fieldConfig"]["defaults"]
        self.unit, self.options = self.defaults["unit"], body.get("options", {})
        self.custom = self.defaults.get("custom", {})
        self.colors = [(re.compile(override["matcher"]["options"].strip("/")), COLORS[prop["value"]["fixedColor"]])
                       for override in body["fieldConfig"].get("overrides", []) for prop in override["properties"]
                       if prop["id"] == "color"]

    def color(self, name, index):
        return next((color for pattern, color in self.colors if pattern.match(name)), PALETTE[index % len(PALETTE)])

    def by_threshold(self, value):
        steps = self.defaults["thresholds"]["steps"]
        return COLORS[[step["color"] for step in steps if step["value"] is None or value >= step["value"]][-1]]

    def series(self):
        """(name, [(time, value)]) of all queries; of SQL's time series too."""
        found = {}
        for target, answer in zip(self.body["targets"], self.answers):
            for one in answer:
                if "labels" in one:
                    found.setdefault(named(target, one), []).extend(map(tuple, one["values"]))
                else:
                    found.setdefault(one["metric"], []).append((one["time"], one["people"]))
        return list(found.items())

    def draw(self):
        {"timeseries": self.lines, "stat": self.number, "bargauge": self.bars, "table": self.table,
         "state-timeline": self.states}[self.body["type"]]()

    def time_axis(self):
        self.axes.set_xlim(*(datetime.fromtimestamp(at, timezone.utc) for at in self.window[:2]))
        self.axes.xaxis.set_major_locator(dates.AutoDateLocator(minticks=3, maxticks=6))
        self.axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M:%S"))
        self.axes.tick_params(labelsize=6.5, colors="#5c6b7a", length=2)
        for side in ("top", "right"):
            self.axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            self.axes.spines[side].set_color(PALE)

    def lines(self):
        series = self.series()
        stacked = self.custom.get("stacking", {}).get("mode") == "normal"
        step, below = self.window[2], {}
        for index, (name, points) in enumerate(series):
            color = self.color(name, index)
            known = dict(points)
            # Where nothing was said nothing is drawn.
            times = list(range(self.window[0], self.window[1] + 1, step))
            values = [known.get(at, 0 if stacked else float("nan")) for at in times]
            moments = [datetime.fromtimestamp(at, timezone.utc) for at in times]
            if self.custom.get("drawStyle") == "bars":
                base = [below.get(at, 0) for at in times]
                below = {at: low + value for at, low, value in zip(times, base, values)}
                self.axes.bar(moments, values, bottom=base, width=step / 86400, color=color)
            elif stacked:
                base = [below.get(at, 0) for at in times]
                top = [low + value for low, value in zip(base, values)]
                below = dict(zip(times, top))
                self.axes.fill_between(moments, base, top, color=color, alpha=0.55, linewidth=0.4, label=name)
            else:
                self.axes.plot(moments, values, color=color, linewidth=1, label=name)
                self.axes.fill_between(moments, values, color=color, alpha=0.06, linewidth=0)
        self.time_axis()
        most = self.defaults.get("max")
        top = max([value for _, points in series for _, value in points] + list(below.values()) + [0]) * 1.08
        for limit in self.defaults["thresholds"]["steps"]:
            if limit["value"] is not None and limit["value"] <= (most or top):
                self.axes.axhline(limit["value"], color=COLORS[limit["color"]], linewidth=0.7, linestyle="--")
        self.axes.set_ylim(0, most or top or 1)
        self.axes.yaxis.set_major_locator(plt.MaxNLocator(4))
        self.axes.yaxis.set_major_formatter(lambda value, _: shown(value, self.unit))
        self.axes.grid(axis="y", color=PALE, linewidth=0.4)
        self.legend([(name, self.color(name, index), sorted(points)[-1][1]) for index, (name, points) in enumerate(series)])

    def legend(self, entries):
        ranked = sorted(entries, key=lambda entry: -(entry[2] or 0))[:SERIES_SHOWN] if len(entries) > SERIES_SHOWN else entries
        handles = [plt.Line2D([], [], color=color, linewidth=2.5) for _, color, _ in ranked]
        labels = [cut(name) for name, _, _ in ranked]
        if len(entries) > len(ranked):
            handles.append(plt.Line2D([], [], linewidth=0))
            labels.append(f"and {len(entries) - len(ranked)} more")
        narrow = self.body["gridPos"]["w"] < 8
        self.axes.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.13), fontsize=6.3, frameon=False,
                         ncol=2 if narrow else 3 if self.body["gridPos"]["w"] < 12 else 8, handlelength=1, columnspacing=1,
                         handletextpad=0.4, labelcolor=INK, borderpad=0)

    def number(self):
        self.axes.axis("off")
        said = []
        field = self.options.get("reduceOptions", {}).get("fields", "").strip("/^$")
        for target, answer in zip(self.body["targets"], self.answers):
            for one in answer:
                if "labels" not in one:
                    said.append(("", one[field]))
                else:
                    said.append((named(target, one), one["values"][-1][1]))
                    self.spark(one["values"])
        names = self.options.get("textMode") == "value_and_name"
        for index, (name, value) in enumerate(said):
            color = COLORS["green"] if isinstance(value, str) else self.by_threshold(value)
            place = (index + 0.5) / len(said)
            self.axes.text(place, 0.45, shown(value, self.unit, self.defaults.get("decimals")), color=color, weight="bold",
                           fontsize=19, ha="center", va="center", transform=self.axes.transAxes)
            if names:
                self.axes.text(place, 0.02, name, fontsize=7, color=INK, ha="center", va="bottom", transform=self.axes.transAxes)

    def spark(self, values):
        if self.options.get("graphMode") != "area" or len(values) < 2 or self.options.get("textMode") == "value_and_name":
            return
        inner = self.axes.inset_axes([0, -0.05, 1, 0.35])
        inner.axis("off")
        inner.fill_between([at for at, _ in values], [value for _, value in values], color="#8a8f98", alpha=0.25, linewidth=0)
        inner.set_ylim(0, max(value for _, value in values) or 1)

    def bars(self):
        if self.answers[0] and "labels" not in self.answers[0][0]:
            rows = [tuple(row.values()) for row in self.answers[0]]
        else:
            rows = [(name, points[-1][1]) for name, points in self.series()]
        rows = rows[:ROWS_SHOWN + 4]
        names = [cut(name) for name, _ in rows]
        fixed = bool(self.colors)
        self.axes.barh(names, [value for _, value in rows], height=0.6,
                       color=[self.color(name, 0) if fixed else self.by_threshold(value) for name, value in rows])
        for index, (_, value) in enumerate(rows):
            self.axes.text(value, index, " " + shown(value, self.unit, self.defaults.get("decimals")), va="center", fontsize=7, color=INK)
        self.axes.invert_yaxis()
        self.axes.set_xlim(0, max([value for _, value in rows] + [0]) * 1.2 or 1)
        self.axes.set_ylim(max(len(rows), 4) - 0.4, -0.6)
        self.axes.tick_params(labelsize=7, colors=INK, length=0)
        self.axes.xaxis.set_visible(False)
        for side in self.axes.spines.values():
            side.set_visible(False)

    def states(self):
        mapping = self.defaults["mappings"][0]["options"]
        series = sorted(self.series())
        for row, (_, points) in enumerate(series):
            for at, value in points:
                self.axes.barh(row, self.window[2] / 86400, left=dates.date2num(datetime.fromtimestamp(at, timezone.utc)), height=0.7,
                               align="center", color=COLORS[mapping[str(round(value))]["color"]], linewidth=0)
        self.axes.set_yticks(range(len(series)), [cut(name) for name, _ in series])
        self.axes.set_ylim(len(series) - 0.4, -0.6)
        self.time_axis()
        self.legend([(result["text"], COLORS[result["color"]], 0) for result in mapping.values()])

    def table(self):
        self.axes.axis("off")
        columns, rows = self.columns()
        units = {override["matcher"]["options"]: prop["value"] for override in self.body["fieldConfig"].get("overrides", [])
                 for prop in override["properties"] if prop["id"] == "unit"}
        texts = [[shown(row.get(column), units.get(column, self.unit), self.defaults.get("decimals")) for column in columns]
                 for row in rows[:ROWS_SHOWN]]
        if not texts:
            return
        widths = [max(len(text) for text in [column, *(row[index] for row in texts)]) + 2 for index, column in enumerate(columns)]
        room = self.body["gridPos"]["w"] * 7  # Characters.
        high = min((len(texts) + 1) / (ROWS_SHOWN + 1) * 8 / self.body["gridPos"]["h"], 1)
        made = self.axes.table(texts, colLabels=columns, cellLoc="left", colLoc="left", bbox=(0, 1 - high, min(sum(widths) / room, 1), high),
                               colWidths=widths)
        made.auto_set_font_size(False)
        made.set_fontsize(min(6.8, 6.8 * room / sum(widths)))
        for (row, _), cell in made.get_celld().items():
            cell.set_edgecolor(PALE)
            cell.set_linewidth(0.4)
            cell.PAD = 0.04
            if row == 0:
                cell.set_text_props(weight="bold")

    def columns(self):
        """Rows of SQL as they are; of Prometheus merged by labels, as the panel's transformations say."""
        if "rawSql" in self.body["targets"][0]:
            return list(self.answers[0][0]) if self.answers[0] else [], self.answers[0]
        rows, labels, hidden = {}, [], []
        for change in self.body["transformations"]:
            hidden += [name for name, is_ in change["options"].get("excludeByName", {}).items() if is_]
        merged = [{tuple(sorted(one["labels"].items())): one["values"][-1][1] for one in answer} for answer in self.answers]
        names = []
        for index, target in enumerate(self.body["targets"]):
            if f"Value #{ascii_uppercase[index]}" not in hidden:
                names.append(target["legendFormat"])
            for key, value in merged[index].items():
                rows.setdefault(key, dict(key))[target["legendFormat"]] = value
        # A query of fewer labels adds its columns to the rows that agree with it.
        for key in sorted(rows, key=len):
            for other in rows:
                if len(other) > len(key) and set(key) <= set(other):
                    rows[other] = {**rows[key], **rows[other]}
        most = max((len(key) for key in rows), default=0)
        kept = [row for key, row in rows.items() if len(key) == most]
        order = self.body["transformations"][-1]["options"].get("indexByName", {})
        labels = sorted({label for key in rows for label, _ in key}, key=lambda label: order.get(label, 99))
        return labels + names, kept


def picture(document, answers, window):
    bodies = document["panels"]
    height = max(body["gridPos"]["y"] + body["gridPos"]["h"] for body in bodies)
    figure = plt.figure(figsize=(WIDTH * 0.56, (height + 1.6) * UNIT), dpi=DPI, facecolor="#f4f5f6")
    wide, high = figure.get_size_inches()
    figure.text(0.008, 1 - 0.25 / high, document["title"], fontsize=13, weight="bold", color=INK, va="center")

    def place(spot):
        left, top = spot["x"] / WIDTH * wide, high - (spot["y"] + 1.6) * UNIT
        return left, top, spot["w"] / WIDTH * wide, spot["h"] * UNIT
    for body in bodies:
        left, top, width, tall = place(body["gridPos"])
        if body["type"] == "row":
            figure.text(0.008, (top - 0.15) / high, body["title"], fontsize=9.5, weight="bold", color=INK, va="center")
            continue
        figure.add_artist(plt.Rectangle(((left + GAP / 2) / wide, (top - tall + GAP / 2) / high), (width - GAP) / wide,
                                        (tall - GAP) / high, facecolor="white", edgecolor=PALE, linewidth=0.6, zorder=-1))
        figure.text((left + 0.12) / wide, (top - 0.18) / high, body["title"], fontsize=8, weight="bold", color=INK, va="center")
        is_chart = body["type"] in ("timeseries", "state-timeline")
        side = 0.62 if body["type"] == "timeseries" else 1.5 if is_chart else 1.15 if body["type"] == "bargauge" else 0.15
        foot = 0.68 if is_chart else 0.15
        axes = figure.add_axes(((left + side) / wide, (top - tall + foot) / high, (width - side - 0.2) / wide,
                                (tall - foot - 0.38) / high), facecolor="white")
        Sheet(axes, body, answers[str(body["id"])], window).draw()
    kept = io.BytesIO()
    figure.savefig(kept, facecolor=figure.get_facecolor())
    plt.close(figure)
    return Image.open(kept).convert("RGB").quantize(160, dither=Image.Dither.NONE)


def main():
    found = json.loads(pathlib.Path(sys.argv[1]).read_text())
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in dashboards().items():
        file = folder / f"{name}.png"
        picture(document, found["answers"][name], found["window"]).save(file, optimize=True)
        print(f"{file}: {file.stat().st_size // 1000} kB, {len(panels(name, document))} panels")


if __name__ == "__main__":
    main()
