"""A colleague who writes with R: documents first, the payload afterwards, if at all."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

import datom_core as dc


def frame(n: int, tag: str = "x") -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": [f"{tag}-{i}" for i in range(n)]})


class RColleague:
    """A clone that commits and pushes as R does: documents first, the payload afterwards, if at all."""

    def __init__(self, remote: Path, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "-q", remote, folder], check=True)

    def push_version_of(self, table: str, donor: dc.Project, rows: int) -> bytes:
        """Push a version that another project has; the payload that belongs into storage is returned."""
        result = donor.write(table, frame(rows, "r"), message=f"from R, {rows} rows")
        source = Path(donor.remote)
        subprocess.run(["git", "-C", self.folder, "pull", "-q"], check=True)
        (self.folder / table).mkdir(exist_ok=True)
        for name in ("metadata.json", "version_history.json"):
            text = subprocess.run(["git", "-C", source, "show", f"HEAD:{table}/{name}"], capture_output=True).stdout
            (self.folder / table / name).write_bytes(text)
        manifest = json.loads((self.folder / ".datom/manifest.json").read_text())
        theirs = json.loads(
            subprocess.run(["git", "-C", source, "show", "HEAD:.datom/manifest.json"], capture_output=True).stdout
        )
        manifest["artifacts"][table] = theirs["artifacts"][table]
        (self.folder / ".datom/manifest.json").write_text(json.dumps(manifest, indent=2))
        subprocess.run(["git", "-C", self.folder, "add", "-A"], check=True)
        subprocess.run(["git", "-C", self.folder, "commit", "-qm", f"Update {table}"], check=True)
        subprocess.run(["git", "-C", self.folder, "push", "-q"], check=True, capture_output=True)
        return donor.store.get(f"{table}/{result.data_sha}.parquet").data

    def revert(self, table: str, version: str, hours_later: int) -> datetime:
        """Make an old version current as R does: documents with a new time, the history as it was."""
        subprocess.run(["git", "-C", self.folder, "pull", "-q"], check=True)
        path = self.folder / table / "metadata.json"
        current = json.loads(path.read_text())
        at = datetime.fromisoformat(current["created_at"]) + timedelta(hours=hours_later)
        log = ["git", "-C", str(self.folder), "log", "--format=%H", "--", f"{table}/metadata.json"]
        oldest = subprocess.run(log, capture_output=True, text=True).stdout.split()[-1]
        shown = subprocess.run(
            ["git", "-C", self.folder, "show", f"{oldest}:{table}/metadata.json"], capture_output=True
        )
        old = {**json.loads(shown.stdout), "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        path.write_text(json.dumps(old))
        manifest = json.loads((self.folder / ".datom/manifest.json").read_text())
        manifest["artifacts"][table] |= {"current_version": version, "current_data_sha": old["data_sha"]}
        (self.folder / ".datom/manifest.json").write_text(json.dumps(manifest))
        subprocess.run(["git", "-C", self.folder, "commit", "-qam", f"Update {table}"], check=True)
        subprocess.run(["git", "-C", self.folder, "push", "-q"], check=True)
        return at
