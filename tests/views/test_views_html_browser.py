"""The HTML page in a real browser. Never in CI; skipped where there is none."""

from __future__ import annotations

import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.plan.document import Plan
from reconciler.views.plan_html import render_html

pytestmark = pytest.mark.xdist_group("browser")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
SHADES = ("light", "dark")
VISIBLE = (
    "return [...document.querySelectorAll(arguments[0])].filter(n => getComputedStyle(n).display !== 'none').length"
)
Driver = Any


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    if os.environ.get("CI"):
        pytest.skip("no browser is started in CI")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if BROWSER is None or DRIVER is None:
        pytest.skip("there is no Chromium with its driver on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield opened
    opened.quit()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Serves a folder, so that a page has an origin of its own from which it could ask for more."""
    folder = tmp_path_factory.mktemp("page")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


@pytest.fixture
def page(driver: Driver, server: tuple[Path, str], review: Plan) -> Iterator[Driver]:
    open_page(driver, server, review)
    yield driver
    assert driver.get_log("browser") == []


def open_page(driver: Driver, server: tuple[Path, str], plan: Plan, *, width: int = 1280, shade: str = "light") -> None:
    folder, url = server
    name = f"{len(list(folder.iterdir()))}.html"
    (folder / name).write_text(render_html(plan), encoding="utf-8")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": shade}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    driver.get_log("performance")
    driver.get(f"{url}/{name}")
    driver.execute_script("try { localStorage.clear(); } catch {}")


def shown(driver: Driver, selector: str) -> list[str]:
    script = (
        "return [...document.querySelectorAll(arguments[0])].filter(n => n.checkVisibility()).map(n => n.innerText)"
    )
    found: list[str] = driver.execute_script(script, selector)
    return found


def click(driver: Driver, selector: str) -> None:
    driver.execute_script("document.querySelector(arguments[0]).click()", selector)


def background(driver: Driver) -> int:
    """Return how bright the page is, from 0 to 765."""
    color: str = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    return sum(map(int, color.removeprefix("rgb(").removesuffix(")").split(",")))


def test_it_asks_the_network_for_nothing_but_itself(page: Driver) -> None:
    sent = [
        entry["message"] for entry in page.get_log("performance") if 'Network.requestWillBeSent"' in entry["message"]
    ]
    assert len([message for message in sent if "favicon" not in message]) == 1
    blocked = page.execute_async_script(
        "const done = arguments[0]; fetch('/0.html').then(() => done('allowed'), () => done('blocked'))"
    )
    assert blocked == "blocked"
    assert "Content Security Policy" in page.get_log("browser")[0]["message"]


def test_search_shows_what_has_every_word(page: Driver) -> None:
    search = page.find_element("id", "search")
    search.send_keys("s3-prod researchers")
    items = shown(page, "[data-item]")
    assert items
    assert all("s3-prod" in text and "researchers" in text for text in items)
    assert page.find_element("id", "shown").text.startswith(f"{len(items)} of ")
    search.send_keys(" nothing-has-this")
    assert shown(page, "[data-item]") == []
    assert shown(page, ".nothing") == ["Nothing matches the search and the filters."] * 2
    click(page, "#clear")
    assert len(shown(page, "[data-item]")) > len(items)


def test_a_filter_hides_what_is_of_its_kind(page: Driver) -> None:
    critical, removed = "[data-item=critical]", "[data-item=remove]"
    assert shown(page, critical)
    assert shown(page, removed)
    click(page, "input[data-filter=critical]")
    click(page, "input[data-filter=remove]")
    assert shown(page, critical) == shown(page, removed) == []
    assert shown(page, "[data-item=sensitive]")
    assert shown(page, "[data-item=add]")


def test_changes_fold_and_unfold(page: Driver) -> None:
    button = page.find_element("id", "toggle")
    assert button.text == "Collapse all"
    assert len(shown(page, ".edits")) == len(page.find_elements("css selector", "details.change"))
    button.click()
    assert (button.text, shown(page, ".edits")) == ("Expand all", [])
    click(page, "details.change summary")
    assert len(shown(page, ".edits")) == 1


@pytest.mark.parametrize("shade", SHADES)
def test_it_is_as_light_or_dark_as_the_system_unless_somebody_chose(
    driver: Driver, server: tuple[Path, str], review: Plan, shade: str
) -> None:
    open_page(driver, server, review, shade=shade)
    assert (background(driver) < 200) == (shade == "dark")
    other = SHADES[shade == "light"]
    click(driver, f"input[name=theme][value={other}]")
    assert (background(driver) < 200) == (other == "dark")
    driver.refresh()
    assert (background(driver) < 200) == (other == "dark")
    click(driver, "input[name=theme][value=auto]")
    assert (background(driver) < 200) == (shade == "dark")


def test_the_picture_shows_both_sides(page: Driver) -> None:
    gains, losses = ".only-after", ".only-before"
    assert page.execute_script(VISIBLE, gains)
    assert page.execute_script(VISIBLE, losses)
    click(page, "#side-before")
    assert (page.execute_script(VISIBLE, gains), page.execute_script(VISIBLE, losses) > 0) == (0, True)
    click(page, "#side-after")
    assert (page.execute_script(VISIBLE, gains) > 0, page.execute_script(VISIBLE, losses)) == (True, 0)


@pytest.mark.parametrize("shade", SHADES)
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_its_window_and_can_be_read(
    driver: Driver, server: tuple[Path, str], review: Plan, width: int, shade: str
) -> None:
    open_page(driver, server, review, width=width, shade=shade)
    assert driver.execute_script("return document.documentElement.scrollWidth") == width
    assert driver.execute_script(CONTRASTS) == []


CONTRASTS = """
const level = (color) => {
  const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map((c) => c / 255)
    .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (node) => {
  for (; node; node = node.parentElement) {
    const color = getComputedStyle(node).backgroundColor;
    if (!color.startsWith("rgba")) return color;
  }
};
const poor = [];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  if (!own || node.closest("svg, script, .skip, .unseen") || !node.checkVisibility()) continue;
  const [a, b] = [level(getComputedStyle(node).color), level(behind(node))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) poor.push([node.className, node.textContent.slice(0, 30), ratio]);
}
return poor;
"""
"""Finds text whose contrast is below 4.5 to 1, as WCAG AA asks for."""


def test_a_hostile_name_runs_nothing(driver: Driver, server: tuple[Path, str], review: Plan) -> None:
    name = "</script></title><img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    changes = tuple(replace(change, title=name) for change in review.changes)
    open_page(driver, server, replace(review, workspace=name, changes=changes))
    assert driver.title.startswith("Plan for </script>")
    assert driver.find_elements("css selector", "img") == []
    assert driver.get_log("browser") == []


def test_it_can_be_used_with_the_keyboard_and_named_by_a_reader(page: Driver) -> None:
    assert page.execute_script("return [...document.querySelectorAll('header, main, footer, h1')].length") == 4
    unnamed = page.execute_script(
        "return [...document.querySelectorAll('section')].filter(n => !n.ariaLabel &&"
        " !document.getElementById(n.getAttribute('aria-labelledby'))).length"
    )
    assert unnamed == 0
    page.find_element("css selector", "body").send_keys("/")
    assert page.execute_script("return document.activeElement.id") == "search"
