"""Sensors: extracts that arrived, versions written elsewhere, projects that are new in a register.

A sensor asks for runs or reports events; it never writes to a project.
"""

from datom_dagster.sensors.external_writes import outside_write_sensor
from datom_dagster.sensors.extract_arrivals import extract_sensor
from datom_dagster.sensors.new_projects import portfolio_sensor

__all__ = [
    "extract_sensor",
    "outside_write_sensor",
    "portfolio_sensor",
]
