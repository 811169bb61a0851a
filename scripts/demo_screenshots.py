"""Take pictures of the demo.

demo_screenshots.py HOME_URL USERNAME PASSWORD TELNYX_URL DEVICE_ID NOVITA_URL NOVITA_KEY
OPENAI_URL OPENAI_KEY DIR
"""  # noqa: INP001

import os
from pathlib import Path
from shutil import which
import sys

# Only installed where pictures are taken.
from playwright.sync_api import Page, expect, sync_playwright  # type: ignore[import-not-found]

BROWSER = "chromium"
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--headless",
    "--no-first-run",
]
SIZE = {"width": 1600, "height": 1000}
LIMIT = 30_000
# Cards and dialogs fade and slide in; nothing tells when they have arrived.
SETTLE = 1_500
ADD = "config/integrations/dashboard/add?domain=api_balance"


class Camera:
    """A browser at a home, which knows its way around."""

    def __init__(self, page: Page, home: str, folder: Path) -> None:
        """Remember where to look and where to put pictures."""
        self.page = page
        self._home = home
        self._folder = folder

    def go(self, path: str) -> None:
        """Open a page of the home."""
        self.page.goto(f"{self._home}/{path}")

    def press(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def shoot(self, name: str) -> None:
        """Take a picture of what is there."""
        self.page.wait_for_timeout(SETTLE)
        self.page.screenshot(path=self._folder / f"{name}.png")
        print(self._folder / f"{name}.png", flush=True)

    def log_in(self, username: str, password: str) -> None:
        """Log in and arrive at the dashboard."""
        self.go("")
        self.page.get_by_role("textbox", name="Username").fill(username)
        self.page.get_by_role("textbox", name="Password").fill(password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/api-balance/**")

    def shoot_dashboard(self, name: str) -> None:
        """Take a picture of the dashboard with all of its graphs."""
        self.go("api-balance/balances")
        expect(self.page.locator("hui-gauge-card").first).to_be_visible()
        expect(self.page.locator("canvas").first).to_be_visible()
        expect(self.page.locator("hui-warning, hui-error-card")).to_have_count(0)
        self.shoot(name)

    def shoot_adding(self) -> None:
        """Take pictures of the integration in the list of all integrations."""
        self.go("config/integrations/dashboard")
        self.press("Add integration")
        expect(self.page.get_by_text("Select brand")).to_be_visible()
        self.page.keyboard.type("API Bal")
        expect(self.page.locator("ha-integration-list-item")).to_have_count(1)
        self.shoot("add_integration")

    def choose(
        self, provider: str, picture: str | None = None, field: str = "api_key"
    ) -> None:
        """Start to add an account: search the provider and choose it."""
        self.go(ADD)
        self.press("OK")
        self.page.get_by_role("button", name="Submit").wait_for()
        self.page.locator("ha-generic-picker").first.click()
        search = self.page.locator("ha-picker-combo-box input").first
        search.fill(provider[:4])
        option = self.page.locator("ha-combo-box-item", has_text=provider).first
        expect(option).to_be_visible()
        if picture:
            self.shoot(picture)
        option.click()
        self.press("Submit")
        self.page.locator(f"[name={field}]").first.wait_for()

    def enter(self, key: str, address: str) -> None:
        """Enter a key, and where the simulated provider is."""
        self.page.get_by_text("Advanced").click()
        self.page.locator("input[name=api_key]").fill(key)
        self.page.locator("input[name=base_url]").fill(address)
        self.press("Submit")

    def shoot_flow(self, telnyx: str, novita: str, novita_key: str) -> None:
        """Take pictures of adding an account, with a refused key and a good one."""
        self.choose("Telnyx", "flow_providers")
        self.shoot("flow_credentials")
        self.enter("KEY0-mistyped", telnyx)
        expect(self.page.locator("ha-alert")).to_be_visible()
        self.shoot("flow_error")
        self.choose("Novita AI")
        self.enter(novita_key, novita)
        expect(self.page.get_by_text("When is it low?")).to_be_visible()
        self.shoot("flow_thresholds")

    def shoot_balances(self, openai: str, openai_key: str) -> None:
        """Take pictures of entering what no provider reports."""
        self.choose("OpenAI")
        self.enter(openai_key, openai)
        expect(self.page.get_by_text("What is left?")).to_be_visible()
        self.shoot("flow_balance")
        self.choose("Manual account", field="name")
        self.shoot("flow_manual")

    def shoot_automation(self) -> None:
        """Take a picture of the triggers in the automation editor."""
        self.go("config/automation/edit/new?")
        self.page.get_by_role("button", name="Add trigger").first.click()
        self.page.wait_for_timeout(SETTLE)
        self.page.keyboard.type("Balance")
        self.page.wait_for_timeout(SETTLE)
        self.shoot("automation_triggers")
        self.page.get_by_text("Balance became low").first.click()
        self.page.wait_for_timeout(SETTLE)
        self.shoot("automation_trigger")
        self.go("config/automation/edit/new?")
        self.page.get_by_role("button", name="Add trigger").first.click()
        self.page.wait_for_timeout(SETTLE)
        self.page.keyboard.type("Time left")
        self.page.wait_for_timeout(SETTLE)
        self.page.get_by_text("Time left crossed threshold").first.click()
        self.page.wait_for_timeout(SETTLE)
        self.shoot("automation_trigger_time_left")
        self.go("config/automation/edit/new?")
        self.page.get_by_role("button", name="Add condition").first.click()
        self.page.wait_for_timeout(SETTLE)
        self.page.keyboard.type("Time left")
        self.page.wait_for_timeout(SETTLE)
        self.shoot("automation_conditions")

    def shoot_blueprints(self) -> None:
        """Take a picture of what each of our blueprints asks for."""
        for name in (
            "low balance notice",
            "daily money report",
            "fall back when depleted",
        ):
            self.go("config/blueprint/dashboard")
            self.page.get_by_text(f"API Balance: {name}").first.click()
            self.page.wait_for_timeout(SETTLE)
            self.shoot(f"blueprint_{name.replace(' ', '_')}")

    def shoot_spend(self) -> None:
        """Take a picture of what each day has cost, and of an action with an answer."""
        self.go("api-balance/balances")
        graph = self.page.locator("hui-statistics-graph-card").first
        graph.scroll_into_view_if_needed()
        expect(graph.locator("canvas").first).to_be_visible()
        self.shoot("statistics")
        self.go("config/tools/action")
        self.page.locator("ha-service-picker").first.click()
        self.page.wait_for_timeout(SETTLE)
        self.page.keyboard.type("Get spend")
        self.page.wait_for_timeout(SETTLE)
        self.shoot("actions")
        self.page.get_by_text("Get spend", exact=True).first.click()
        self.page.wait_for_timeout(SETTLE)
        self.shoot("action")


def main() -> None:
    """Read the command line, and take one picture after the other."""
    home, username, password, telnyx, device_id, *accounts, folder = sys.argv[1:]
    novita, key, openai, openai_key = accounts
    # The sandbox of the browser does not work for root.
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=which(BROWSER), args=flags)
        page = browser.new_page(viewport=SIZE)
        page.set_default_timeout(LIMIT)
        camera = Camera(page, home, Path(folder))
        camera.log_in(username, password)
        camera.shoot_dashboard("dashboard")
        camera.shoot_adding()
        camera.shoot_flow(telnyx, novita, key)
        camera.shoot_balances(openai, openai_key)
        camera.go("config/integrations/integration/api_balance")
        expect(page.get_by_text("Telnyx").first).to_be_visible()
        camera.shoot("integration")
        camera.go(f"config/devices/device/{device_id}")
        expect(page.get_by_text("Sensors")).to_be_visible()
        camera.shoot("device")
        camera.shoot_spend()
        camera.shoot_automation()
        camera.shoot_blueprints()
        page.emulate_media(color_scheme="dark")
        camera.shoot_dashboard("dashboard_dark")
        page.set_viewport_size({"width": 412, "height": 915})
        camera.shoot_dashboard("dashboard_phone")
        browser.close()


if __name__ == "__main__":
    main()
