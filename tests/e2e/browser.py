"""Debian's Chromium, driven by Playwright, and axe-core, which says what people who cannot see would miss.

Both tools are fetched once into build/console, as tests/console pins them. Where they or the browser cannot be had the test
that asks for them ends with 77, loudly."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from harness import PATIENCE_S, ROOT, SLOW, say

SKIPPED = 77
PINS, TOOLS = ROOT / "tests/console", ROOT / "build/console"
BROWSER = "chromium"


def skip(why):
    say(f"NOT TESTED: the console in a browser, because {why}")
    sys.exit(SKIPPED)


def _run(what, *command, cwd=None):
    try:
        done = subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, text=True, timeout=240)
    except subprocess.TimeoutExpired:
        skip(f"{what} within 240 s")
    if done.returncode != 0:
        skip(f"{what}: {(done.stderr or done.stdout).strip()[-300:]}")


def _is_current(*names):
    return all((TOOLS / n).exists() and (TOOLS / n).read_bytes() == (PINS / n).read_bytes() for n in names)


def in_its_python(script):
    """Goes on in the Python that has Playwright; fetches what is missing."""
    if Path(sys.prefix) == TOOLS / "python":
        return
    if shutil.which(BROWSER) is None:
        skip(f"there is no {BROWSER}: scripts/setup check")
    if shutil.which("npm") is None:
        skip("there is no npm")
    if not _is_current("requirements.txt", "package-lock.json"):
        shutil.rmtree(TOOLS, ignore_errors=True)
        TOOLS.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PINS / name, TOOLS / name)
        _run("npm cannot fetch axe-core", "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=TOOLS)
        _run("python3 has no venv (Debian: python3-venv)", sys.executable, "-m", "venv", TOOLS / "python")
        _run("pip cannot fetch Playwright", TOOLS / "python/bin/python3", "-m", "pip", "install", "--quiet", "--no-deps", "--no-input",
             "--disable-pip-version-check", "--retries", "1", "--require-hashes", "-r", PINS / "requirements.txt")
        shutil.copy(PINS / "requirements.txt", TOOLS / "requirements.txt")
    python = TOOLS / "python/bin/python3"
    os.execve(python, [python, "-B", script, *sys.argv[1:]], os.environ)


class Eyes:
    """A browser at one server: what it loads, what it complains of, and what axe-core finds."""

    def __init__(self, playwright, base):
        self.base = base
        self.axe = (TOOLS / "node_modules/axe-core/axe.min.js").read_text()
        self.browser = playwright.chromium.launch(executable_path=shutil.which(BROWSER), args=["--no-sandbox"])
        self.loaded, self.complaints = [], []
        self.shots = os.environ.get("FANFARE_CONSOLE_SHOTS")

    def context(self, **options):
        context = self.browser.new_context(base_url=self.base, viewport={"width": 1280, "height": 900}, **options)
        context.set_default_timeout(PATIENCE_S * SLOW * 1000)
        context.on("request", lambda request: self.loaded.append(request.url))
        context.on("console", lambda message: message.type in ("error", "warning") and self.complaints.append(message.text))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        return context

    def faults(self, page):
        """What axe-core calls serious or critical, in words."""
        found = page.evaluate(self.axe + "; axe.run(document, {iframes: false, resultTypes: ['violations']})")
        return [f"{page.url}: {v['id']}: {v['help']}: {json.dumps([n['html'][:160] for n in v['nodes'][:3]])}"
                for v in found["violations"] if v["impact"] in ("serious", "critical")]

    def look(self, page, name):
        """axe-core's faults in light and dark, and what does not fit a phone; with FANFARE_CONSOLE_SHOTS a picture of each."""
        faults = []
        for way, scheme, width in (("light", "light", 1280), ("dark", "dark", 1280), ("phone", "light", 390)):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": 844 if way == "phone" else 900})
            if way != "phone":  # There the page is the same, narrower.
                faults += [f"{way}: {fault}" for fault in self.faults(page)]
            elif page.evaluate("document.documentElement.scrollWidth") > width:
                faults.append(f"phone: {page.url} is wider than the screen")
            if self.shots:
                Path(self.shots).mkdir(parents=True, exist_ok=True)
                # Frames out of sight are not drawn, and those in sight by processes of their own.
                page.set_viewport_size({"width": width, "height": page.evaluate("document.documentElement.scrollHeight")})
                page.wait_for_timeout(500)
                page.screenshot(path=f"{self.shots}/{name}-{way}.png", full_page=True)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1280, "height": 900})
        return faults
