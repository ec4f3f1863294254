"""What `dg scaffold defs` writes for a study."""

# Dagster reads annotations at run time: no `annotations` import.
from typing import Any

import dagster as dg
from pydantic import BaseModel, Field


class ScaffoldParams(BaseModel):
    """The options of `dg scaffold defs`."""

    project: str = Field(default="STUDY_001", description="Name of the project.")
    path: str = Field(default="/data/study_001", description="Folder of its data.")
    remote: str | None = Field(default=None, description="URL of its git repository.")


class StudyScaffolder(dg.Scaffolder[ScaffoldParams]):
    """Writes the `defs.yaml` for a study that is only read."""

    @classmethod
    def get_scaffold_params(cls) -> type[ScaffoldParams]:
        return ScaffoldParams

    def scaffold(self, request: dg.ScaffoldRequest[ScaffoldParams]) -> None:
        told = request.params
        attributes: dict[str, Any] = {"project": told.project, "storage": {"path": told.path}}
        if told.remote is not None:
            attributes["remote"] = told.remote
        dg.scaffold_component(request, {**attributes, "group_name": told.project.lower().replace(" ", "_")})
