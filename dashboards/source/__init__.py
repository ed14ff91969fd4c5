"""The dashboards, one module each; what they share is in panels, queries and frame."""

import json

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from . import delivery, failures, fleet, job, providers, schedule

ALL = {"fleet": fleet, "delivery": delivery, "job": job, "providers": providers, "failures": failures, "schedule": schedule}


def document(module):
    built = module.dashboard().build()
    for number, panel in enumerate(built.panels, 1):
        panel.id_val = number
    return json.dumps(built, cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


def documents():
    """Name -> JSON, the same for the same sources."""
    return {name: document(module) for name, module in ALL.items()}
