#!/usr/bin/env python3
"""Opens pages that `report` commands wrote in a headless Chromium and checks them as a reader would meet them: nothing in
the console, nothing loaded from elsewhere, every image decodes and has an alternative text, and neither a phone nor a
desk has to scroll sideways. Prints a line per page and ends with status 1 if one fails.

Needs Chromium (apt: chromium) and Playwright (pip: playwright), whose own browsers are not needed."""
import argparse
import pathlib
import shutil
import sys

from playwright.sync_api import sync_playwright

WIDTHS = {"phone": 390, "desk": 1280}

# Reads a loaded page's images and sizes.
LOOK = """() => {
  const images = [...document.images].map(image => ({
    shown: image.complete && image.naturalWidth > 0, text: image.alt, source: image.src.slice(0, 60)}));
  const sizes = [...document.querySelectorAll('body *')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && e.getClientRects().length)
    .map(e => parseFloat(getComputedStyle(e).fontSize));
  const root = document.documentElement;
  return {images, smallest: Math.min(...sizes), width: root.scrollWidth, view: root.clientWidth,
          title: document.title, scripts: document.scripts.length,
          wide: [...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).length};
}"""


def check(browser, path, least_images, screenshots):
    """The faults of a page, and a line about it."""
    faults, about = [], ""
    for name, width in WIDTHS.items():
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
            page.on("console", lambda message: faults.append(f"console {message.type}: {message.text}"))
            page.on("pageerror", lambda error: faults.append(f"error: {error}"))
            page.on("request", lambda request: request.url.startswith(("file:", "data:"))
                    or faults.append(f"asks for {request.url}"))
            page.goto(path.resolve().as_uri(), wait_until="load")
            look = page.evaluate(LOOK)
            if look["width"] > look["view"]:
                faults.append(f"{name}: {look['width']} pixels wide, the window has {look['view']}")
            if look["wide"]:
                faults.append(f"{name}: {look['wide']} tables are wider than their place")
            if look["smallest"] < 9.5:
                faults.append(f"{name}: text of {look['smallest']} pixels")
            if not look["title"]:
                faults.append("no title")
            if look["scripts"]:
                faults.append(f"{look['scripts']} scripts, expected none")
            for image in look["images"]:
                if not image["shown"]:
                    faults.append(f"{name}: does not decode: {image['source']}…")
                if not image["text"]:
                    faults.append(f"no alternative text: {image['source']}…")
            if screenshots:
                page.screenshot(path=screenshots / f"{path.parent.name}-{name}-{scheme}.png", full_page=True)
            if len(look["images"]) < least_images:
                faults.append(f"{len(look['images'])} images, expected at least {least_images}")
            about = f"{look['title']}: {len(look['images'])} images"
            page.close()
    return sorted(set(faults)), about


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("reports", nargs="+", type=pathlib.Path, metavar="REPORT", help="report.html of a run")
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"),
                        help="the browser's program (default: the one in the path)")
    parser.add_argument("--images", type=int, default=1, help="fewer images than this are a fault (default: 1)")
    parser.add_argument("--screenshots", type=pathlib.Path, help="folder for pictures of every page at both widths")
    arguments = parser.parse_args()
    if arguments.chromium is None:
        sys.exit("check_report.py: no Chromium (apt: chromium)")
    if arguments.screenshots:
        arguments.screenshots.mkdir(parents=True, exist_ok=True)
    failed = False
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=arguments.chromium, args=["--no-sandbox"])
        for path in arguments.reports:
            if not path.is_file():
                sys.exit(f"check_report.py: {path}: no such file")
            faults, about = check(browser, path, arguments.images, arguments.screenshots)
            print(f"{path}: {about}{', FAILED' if faults else ', good'}")
            for fault in faults:
                print(f"  {fault}")
            failed = failed or bool(faults)
        browser.close()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
