"""Panels: whichever kind, one has a title, what it means, a unit, and its queries with legends."""

from dataclasses import dataclass
from string import ascii_uppercase

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, statetimeline, table
from grafana_foundation_sdk.builders import timeseries as lines
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import prometheus as prometheus_models

from .frame import LEDGER, PROMETHEUS

PEOPLE_RATE, REQUEST_RATE, PER_S, PER_MINUTE = "people/s", "reqps", "cps", "cpm"
GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"

# The same thing has the same colour wherever it is.
COLORS = {"sent": "blue", "delivered": "green", "opened": "dark-green", "clicked": "super-light-green", "refused": "orange",
          "failed": "red", "expired": "purple", "unknown": "yellow", "retry": "light-yellow", "pending": "light-blue",
          "replayed": "dark-purple", "suppressed": "light-purple", "opted_out": "light-orange", "no_address": "text",
          "cancelled": "dark-orange", "email": "blue", "sms": "green", "push": "orange",
          "ok": "green", "throttle": "yellow", "transient": "orange", "ambiguous": "purple", "config": "dark-red",
          "perm_req": "red", "perm_rcpt": "light-orange", "suppress": "light-purple"}


@dataclass
class Query:
    """PromQL, and what its series are called."""
    expr: str
    legend: str
    instant: bool = False


@dataclass
class Sql(Dataquery, Builder):
    """A query of the ledger's views, for which there is no builder."""
    text: str
    format: str = "table"
    letter: str = "A"

    def build(self):
        return self

    def to_json(self):
        return {"refId": self.letter, "rawQuery": True, "editorMode": "code", "format": self.format, "rawSql": self.text}


def thresholds(*steps):
    """thresholds((None, GREEN), (1, RED))"""
    return (dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE)
            .steps([models.Threshold(value=value, color=color) for value, color in steps]))


CALM = ((None, GREEN),)


def bad_above(bad, worse=None):
    return (*CALM, (bad, RED)) if worse is None else (*CALM, (bad, YELLOW), (worse, RED))


def good_above(fair, good):
    return ((None, RED), (fair, YELLOW), (good, GREEN))


def _target(query, letter, is_table):
    if isinstance(query, Sql):
        query.letter = letter
        return query
    made = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(letter)
    if is_table:
        made.format(prometheus_models.PromQueryFormat.TABLE)
    return made.instant() if query.instant or is_table else made.range()


def _filled(panel, title, description, unit, queries, span, height, runbook, steps, is_table=False):
    is_sql = isinstance(queries[0], Sql)
    panel.title(title).description(description).unit(unit).span(span).height(height)
    panel.datasource(LEDGER if is_sql else PROMETHEUS)
    panel.thresholds(thresholds(*steps))
    if isinstance(panel, (table.Panel, bargauge.Panel)) and unit == "short":
        panel.decimals(0)  # Increases are extended to the edges of the range; people are whole.
    for query, letter in zip(queries, ascii_uppercase):
        panel.with_target(_target(query, letter, is_table))
    if runbook:
        panel.links([dashboard.DashboardLink("Runbook").type(models.DashboardLinkType.LINK)
                     .url("${runbooks}#" + runbook).target_blank(True)])
    return panel


def _colored(panel, words):
    for word in words:
        panel.override_by_regexp(rf"/^{word}$/", [models.DynamicConfigValue(
            id_val="color", value={"mode": "fixed", "fixedColor": COLORS[word]})])
    return panel


def _legend(at="bottom", *calcs):
    made = common.VizLegendOptions().placement(common_models.LegendPlacement(at)).show_legend(True)
    if calcs:
        return made.display_mode(common_models.LegendDisplayMode.TABLE).calcs(list(calcs))
    return made.display_mode(common_models.LegendDisplayMode.LIST)


def chart(title, description, unit, *queries, span=8, height=8, runbook="", steps=CALM, stacked=False, bars=False,
          most=None, words=()):
    """Lines over time. Steps are shown where there are any; `words` are series with a colour of their own."""
    panel = _filled(lines.Panel(), title, description, unit, queries, span, height, runbook, steps)
    panel.min(0).legend(_legend("bottom", "mean", "max", "lastNotNull")).fill_opacity(60 if bars else 12 if stacked else 6)
    panel.line_width(1).show_points(common_models.VisibilityMode.NEVER).span_nulls(False)
    panel.tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI)
                  .sort(common_models.SortOrder.DESCENDING))
    if bars:
        panel.draw_style(common_models.GraphDrawStyle.BARS)
    if stacked:
        panel.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL).group("A"))
    if most is not None:
        panel.max(most)
    if len(steps) > 1:
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(common_models.GraphThresholdsStyleMode.DASHED))
    return _colored(panel, words)


def number(title, description, unit, *queries, span=4, height=4, runbook="", steps=CALM, decimals=None, field="", names=None):
    """Large figures: the last of each query's series."""
    panel = _filled(stat.Panel(), title, description, unit, queries, span, height, runbook, steps)
    reduced = common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)
    panel.reduce_options(reduced.fields(f"/^{field}$/") if field else reduced)
    panel.color_mode(common_models.BigValueColorMode.VALUE)
    panel.graph_mode(common_models.BigValueGraphMode.NONE if field or queries[0].instant
                     else common_models.BigValueGraphMode.AREA)
    panel.text_mode(common_models.BigValueTextMode.VALUE_AND_NAME if names else common_models.BigValueTextMode.VALUE)
    if decimals is not None:
        panel.decimals(decimals)
    return panel


def bar_list(title, description, unit, *queries, span=8, height=8, runbook="", steps=CALM, words=()):
    """One bar for each series, or for each row of a table."""
    panel = _filled(bargauge.Panel(), title, description, unit, queries, span, height, runbook, steps)
    is_sql = isinstance(queries[0], Sql)
    panel.min(0).orientation(common_models.VizOrientation.HORIZONTAL)
    panel.display_mode(common_models.BarGaugeDisplayMode.BASIC)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(is_sql))
    return _colored(panel, words)


def states(title, description, *queries, mapping, span=12, height=8, runbook=""):
    """What somebody was when: value -> (word, colour)."""
    panel = _filled(statetimeline.Panel(), title, description, "none", queries, span, height, runbook, CALM)
    panel.mappings([models.ValueMap(options={
        str(value): models.ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(mapping.items())})])
    return panel.legend(_legend()).show_value(common_models.VisibilityMode.NEVER).row_height(0.8).merge_values(True)


def grid(title, description, unit, *queries, columns=None, units=None, hidden=(), span=24, height=8, runbook="", steps=CALM,
         order=()):
    """A table. Of Prometheus: one row for each set of labels, a column for each query, named by its legend."""
    panel = _filled(table.Panel(), title, description, unit, queries, span, height, runbook, steps, is_table=True)
    panel.cell_height(common_models.TableCellHeight.SM)
    if not isinstance(queries[0], Sql):
        names = {(f"Value #{letter}" if len(queries) > 1 else "Value"): query.legend
                 for query, letter in zip(queries, ascii_uppercase)}
        panel.with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
        panel.with_transformation(models.DataTransformerConfig(id_val="organize", options={
            "renameByName": names, "excludeByName": {"Time": True, **{name: True for name in hidden}},
            "indexByName": {name: index for index, name in enumerate((*order, *names))}}))
    for name, its in (units or {}).items():
        panel.override_by_name(name, [models.DynamicConfigValue(id_val="unit", value=its)])
    return panel


def row(title):
    return dashboard.Row(title)
