"""A browser before Dagster's page, shared by all tests of it; and a cut that is recorded by clicking."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.ui.server import web_server
from tests.patience import PATIENCE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-crash-reporter --force-prefers-reduced-motion"
).split()
SIZE: Any = {"width": 1440, "height": 1000}

#: Marks of every file here. One worker runs them all, since what takes longest is to start the server.
MARKS = [
    pytest.mark.skipif(
        CHROMIUM is None and not os.environ.get("DATOM_CI"),
        reason="needs a chromium browser: run `make system` (as root), or install one",
    ),
    pytest.mark.xdist_group("ui"),
]

#: What is recorded by clicking, and why.
CUT = "2013-06"
MESSAGE = "EDC extract through the end of June"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Path(os.environ.get("DATOM_SCREENSHOT_DATA") or tmp_path_factory.mktemp("ui"))
    made.mkdir(exist_ok=True)
    return made


@pytest.fixture(scope="module")
def base_url(folder: Path) -> Iterator[str]:
    with web_server(folder) as url:
        yield url


# Not longer than the module: Playwright runs an event loop in this thread, beside which none of Dagster's starts.
@pytest.fixture(scope="module")
def page(base_url: str) -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page(base_url=base_url, viewport=SIZE)
        browser.close()


@pytest.fixture
def tall_page(page: Any) -> Iterator[Any]:
    """The page with room for a long list, of which Dagster renders what is in sight."""
    page.set_viewport_size({**SIZE, "height": 1700})
    yield page
    page.set_viewport_size(SIZE)


@pytest.fixture
def wide_page(page: Any) -> Iterator[Any]:
    """The page with room for a graph, whose boxes say nothing but their names where there is less."""
    page.set_viewport_size({"width": 2200, "height": 1300})
    yield page
    page.set_viewport_size(SIZE)


@pytest.fixture(scope="module")
def launched(page: Any) -> str:
    """The address of the run that recorded a cut; launched on the job's page with a message, and waited for."""
    goes(page, "/jobs")
    page.get_by_role("link", name="record_cut").first.click()
    page.get_by_role("button", name="Materialize all").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_placeholder("ex: 2012-07").fill(CUT)
    page.keyboard.press("Tab")
    dialog.get_by_text("Tags", exact=True).click()
    dialog.get_by_role("button", name="Add tags").click()
    page.get_by_placeholder("Tag Key").last.fill("datom/commit_message")
    page.get_by_placeholder("Tag Value").last.fill(MESSAGE)
    page.get_by_role("button", name="Apply").click()
    sees(dialog, f"datom/commit_message: {MESSAGE}")
    keep(page, "launch")
    dialog.get_by_role("button", name="Launch 1 run").click()
    sees(page, "Launched run")
    page.get_by_text("View", exact=True).last.click()
    sees(page, "Success", exact=True)
    return str(page.url)


def goes(page: Any, path: str) -> None:
    """Open a path as a link of the page would: the page itself, whose loading takes seconds, stays."""
    if page.url == "about:blank":
        page.goto(path)
        return
    page.evaluate(
        "path => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate', {state: {}})) }", path
    )


def sees(where: Any, *texts: str, exact: bool = False) -> None:
    """Each of the texts can be seen, now or within the time that a page may take."""
    from playwright.sync_api import expect

    for text in texts:
        expect(where.get_by_text(text, exact=exact).first).to_be_visible()


def keep(page: Any, name: str, clip: tuple[int, int, int, int] | None = None) -> None:
    """Keep a picture for the docs when a folder for them is given; or a part of it (left, top, width, height)."""
    folder = os.environ.get("DATOM_SCREENSHOTS")
    if folder:
        page.wait_for_timeout(1500)
        part: Any = None if clip is None else dict(zip(("x", "y", "width", "height"), clip, strict=True))
        page.screenshot(path=str(Path(folder) / f"{name}.png"), clip=part)
