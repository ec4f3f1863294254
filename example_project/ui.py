"""`make ui`: Dagster's page over the demo's data."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from example_project.settings import Settings, ensure_dagster_home, ensure_product, ensure_project

_ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    settings = Settings.from_environment()
    ensure_dagster_home(settings)
    ensure_project(settings)
    ensure_product(settings)
    port = os.environ.get("DATOM_UI_PORT", "3000")
    print(f"Dagster's page opens on http://127.0.0.1:{port} (half a minute; Ctrl-C ends it)", flush=True)
    workspace = str(_ROOT / "workspace.yaml")
    command = [sys.executable, "-m", "dagster", "dev", "-w", workspace, "-h", "127.0.0.1", "-p", port]
    os.execv(sys.executable, command)  # noqa: S606 - a fixed program with fixed arguments


if __name__ == "__main__":
    main()
