"""A headless Chromium: what a page looks like, what it says on its console, and whom it asks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@attrs.frozen
class Browser:
    """One browser; every page is opened from its file, without a network."""

    driver: webdriver.Chrome

    def show(self, page: Path, *, width: int = 1280, theme: str = "light") -> None:
        """Open a page and wait until it is drawn."""
        self._log("browser")
        self._log("performance")
        self.command("Network.enable")
        self.command(
            "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0
        )
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.command("Emulation.setEmulatedMedia", features=features)
        self.driver.get(page.as_uri())
        drawn = "document.readyState == 'complete' && (!document.querySelector('.plot') || "
        drawn += "document.documentElement.dataset.drawn == 'true')"
        self.wait_for(drawn)

    def wait_for(self, script: str) -> None:
        """Wait until an expression of JavaScript holds; a test fails that waits in vain."""
        WebDriverWait(self.driver, 20).until(lambda _: bool(self.ask(script)))

    def command(self, name: str, **arguments: object) -> Any:  # noqa: ANN401  # whatever the browser answers
        """Send a command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, arguments)

    def ask(self, script: str) -> Any:  # noqa: ANN401  # as above
        """Return what an expression of JavaScript is."""
        return self.driver.execute_script(f"return {script}")

    def _log(self, kind: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.driver.get_log(kind)  # type: ignore[no-untyped-call]  # selenium types it in part
        return entries

    @property
    def console(self) -> list[str]:
        """What the page said since it was opened, warnings too."""
        return [entry["message"] for entry in self._log("browser")]

    @property
    def asked(self) -> set[str]:
        """The addresses that were asked since the page was opened."""
        entries = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        urls = [
            entry["params"]["request"]["url"] for entry in entries if entry["method"] == "Network.requestWillBeSent"
        ]
        return {url for url in urls if not url.startswith(("data:", "blob:"))}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser of the system; a machine without one fails, it does not skip."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert binary, "these tests need chromium: apt-get install chromium chromium-driver"
    assert driver, "these tests need chromedriver: apt-get install chromium chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in _FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield Browser(chrome)
    finally:
        chrome.quit()
