"""What all dashboards have: variables, annotations, links to each other."""

from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models

PROMETHEUS = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
LEDGER = models.DataSourceRef(type_val="grafana-postgresql-datasource", uid="${ledger}")
RUNBOOKS = "/public/fanfare/runbooks.txt"
EVERYTHING = models.VariableOption(selected=True, text=["All"], value=["$__all"])

# name: label, what Prometheus is asked, whether "All" is a pattern rather than the list (which another variable narrows)
LABELS = {
    "job": ("Scrape job", "label_values(fanfare_build_info, job)", True),
    "instance": ("Instance", 'label_values(fanfare_build_info{job=~"$job"}, instance)', False),
    "system": ("System", 'label_values(fanfare_outcomes_total{job=~"$job"}, system)', True),
    "kind": ("Kind", 'label_values(fanfare_outcomes_total{job=~"$job", system=~"$system"}, kind)', True),
    "channel": ("Channel", 'label_values(fanfare_planned_total{job=~"$job"}, channel)', True),
    "account": ("Account", 'label_values(fanfare_requests_total{job=~"$job", channel=~"$channel"}, account)', False),
}

# Where a version is seen that was not there two minutes ago; where replays were ordered.
NEW_VERSION = ('max by (program, version, commit) (fanfare_build_info{job=~"$job"})'
               ' unless max by (program, version, commit) (fanfare_build_info{job=~"$job"} offset 2m)')
NEW_REPLAY = 'sum(increase(fanfare_replays_total{job=~"$job"}[1m])) > 0'


def label_variable(name):
    label, query, is_pattern = LABELS[name]
    variable = (builders.QueryVariable(name).label(label).datasource(PROMETHEUS)
                .query({"query": query, "refId": name}).refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
                .sort(models.VariableSort.ALPHABETICAL_ASC).multi(True).include_all(True).current(EVERYTHING))
    return variable.all_value(".*") if is_pattern else variable


def datasource_variable(name, label, type_):
    return builders.DatasourceVariable(name).label(label).type(type_)


@dataclass
class Annotation(Builder):
    """A mark on all charts; Grafana's own builder leaves out what it says."""
    name: str
    expr: str
    color: str
    title: str
    text: str = ""

    def build(self):
        return self

    def to_json(self):
        return {"name": self.name, "datasource": PROMETHEUS, "enable": True, "iconColor": self.color, "expr": self.expr,
                "step": "15s", "titleFormat": self.title, "textFormat": self.text}


def new(name, title, description, *labels):
    """A dashboard with the variables `labels` beside those that all have."""
    made = (builders.Dashboard(f"Fanfare / {title}").uid(f"fanfare-{name}").description(description).tags(["fanfare"])
            .timezone("browser").refresh("30s").time("now-1h", "now").tooltip(models.DashboardCursorSync.CROSSHAIR)
            .with_variable(datasource_variable("datasource", "Prometheus", "prometheus")))
    for label in ("job", *labels):
        made.with_variable(label_variable(label))
    made.with_variable(builders.TextBoxVariable("runbooks").label("Runbooks at").default_value(RUNBOOKS)
                       .current(models.VariableOption(text=RUNBOOKS, value=RUNBOOKS)))
    made.annotation(Annotation("Deploys", NEW_VERSION, "purple", "{{program}} {{version}}", "commit {{commit}}"))
    made.annotation(Annotation("Replays", NEW_REPLAY, "orange", "Replay ordered"))
    made.link(builders.DashboardLink("Dashboards").type(models.DashboardLinkType.DASHBOARDS).tags(["fanfare"])
              .as_dropdown(True).include_vars(True).keep_time(True))
    made.link(builders.DashboardLink("Runbooks").type(models.DashboardLinkType.LINK).url("${runbooks}").target_blank(True))
    return made
