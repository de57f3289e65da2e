"""Make the moving picture of the player for the README, from a built site: `python docs/motion.py`.

It steps a run's cursor in equal steps of virtual time, so the picture doesn't depend on how fast this machine is.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / ".github" / "player.gif"
RUN, BEGIN, END, STEP = "split-brain", 9.6, 13.2, 0.1  # seconds of virtual time
FRAME_MILLISECONDS = 160
WIDTH = 720  # pixels


def main() -> int:
    """Take the frames and write the picture; the result is the exit status."""
    page_url = (HERE / "_build" / "html" / "gallery.html").as_uri()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    frames = []
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{page_url}#{RUN}@{BEGIN:g}")
        player = page.locator(f"#{RUN} .dscourse-player")
        page.wait_for_selector(f"#{RUN} .dscourse-player[data-ready=yes]")
        for step in range(round((END - BEGIN) / STEP) + 1):
            page.evaluate("(mark) => { location.hash = mark; }", f"{RUN}@{BEGIN + step * STEP:.2f}")
            page.wait_for_selector(
                f"#{RUN} .dscourse-player[data-time='{round((BEGIN + step * STEP) * 1e6)}']"
            )
            page.wait_for_timeout(60)
            frames.append(Image.open(io.BytesIO(player.screenshot())).convert("RGB"))
        browser.close()
    height = round(frames[0].height * WIDTH / frames[0].width)
    small = [frame.resize((WIDTH, height), Image.Resampling.LANCZOS) for frame in frames]
    palette = small[0].quantize(64)
    drawn = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in small]
    drawn[0].save(
        TARGET, save_all=True, append_images=drawn[1:], duration=FRAME_MILLISECONDS, loop=0, optimize=True
    )
    print(f"{TARGET}: {len(drawn)} frames, {TARGET.stat().st_size / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
