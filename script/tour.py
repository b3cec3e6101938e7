"""The two-minute tour: a browser walks through Toile as a person would; what it saw becomes docs/tour.md and a film.

    script/tour [--film runs/tour.webm] [--out docs] [--steps dream repeat ...]

A server of its own runs beside it with an empty folder; nothing of yours is touched.  Each step below is a function
whose docstring is the sentence that is told of it; the pictures are its last view.  The film needs ``ffmpeg`` and is
not kept with the code.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
VIEW: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 760}
PICTURE_WIDTH = 960
PICTURE_BYTES = 56_000
PATIENCE = 180.0
"""Seconds that anything may take: the first model of each kind is loaded on the way."""
WAIT_SHOWN = 1.2
"""Seconds of any wait that the film shows."""
READY = "#stage[data-state='ready']"

OVERLAY = """
(() => {
  const shown = () => {
    if (!document.body || document.querySelector("#tour-says")) return;
    const says = document.createElement("div"), dot = document.createElement("div");
    says.id = "tour-says"; dot.id = "tour-dot";
    says.style.cssText = "position:fixed;left:50%;bottom:18px;translate:-50% 0;width:max-content;" +
      "max-width:90vw;padding:10px 20px;z-index:9999;font:19px/1.35 Georgia,serif;" +
      "color:#fff;background:rgb(29 26 23 / .9);pointer-events:none";
    dot.style.cssText = "position:fixed;left:-40px;top:-40px;width:22px;height:22px;translate:-50% -50%;z-index:9999;" +
      "border:2px solid #fff;border-radius:50%;background:rgb(184 50 46 / .55);pointer-events:none";
    document.body.append(says, dot);
    says.textContent = sessionStorage.getItem("tour") ?? "";
    says.hidden = !says.textContent;
    addEventListener("mousemove", ({ clientX, clientY }) => {
      dot.style.left = `${clientX}px`; dot.style.top = `${clientY}px`;
    }, { capture: true, passive: true });
  };
  addEventListener("DOMContentLoaded", shown);
})();
"""
"""What the film shows above the pages: a sentence, and where the hand is."""
SAY = """(text) => {
  sessionStorage.setItem("tour", text);
  const says = document.querySelector("#tour-says");
  if (says) { says.textContent = text; says.hidden = !text; }
}"""
SEEN = """(on) => {
  for (const one of document.querySelectorAll("#tour-says, #tour-dot")) one.style.opacity = on ? 1 : 0;
}"""


@dataclass
class Guide:
    """Leads ``page`` through the site at ``url``; ``slowly`` is how many times as long as needed it stays."""

    page: Page
    url: str
    pictures: Path
    slowly: float = 1.0
    kept: dict[str, Path] = field(default_factory=dict)
    waits: list[tuple[float, float]] = field(default_factory=list)
    """From when to when nothing but waiting was to be seen."""

    def pause(self, seconds: float) -> None:
        if self.slowly:
            self.page.wait_for_timeout(1000 * seconds * self.slowly)

    def open(self, path: str, wait: str = "main") -> None:
        self.page.goto(self.url + path)
        self.wait(wait)

    @contextmanager
    def waiting(self) -> Iterator[float]:
        begin = time.monotonic()
        yield begin
        self.waits.append((begin, time.monotonic()))

    def wait(self, selector: str) -> None:
        with self.waiting():
            self.page.locator(selector).first.wait_for(timeout=1000 * PATIENCE)

    def until(self, expression: str) -> None:
        """Wait for JavaScript; the pages' policy forbids Playwright's own way."""
        with self.waiting() as begin:
            while not self.page.evaluate(expression):
                if time.monotonic() > begin + PATIENCE:
                    raise TimeoutError(expression)
                self.page.wait_for_timeout(100)

    def press(self, selector: str) -> None:
        """The hand goes there, and presses."""
        one = self.page.locator(selector).first
        one.scroll_into_view_if_needed()
        box = one.bounding_box()
        if self.slowly and box:
            self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=12)
            self.pause(0.4)
        one.click()

    def made(self) -> None:
        """Nothing in the tray is being made any more, and the newest is worn."""
        self.until("!document.querySelector('#tray .cell[data-follow]')")
        self.wait(READY)
        self.pause(0.5)

    def keep(self, name: str) -> None:
        """The view as a picture, without what the film shows above it."""
        self.page.evaluate(SEEN, False)
        shot = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        self.page.evaluate(SEEN, True)
        width = min(PICTURE_WIDTH, shot.width)
        self.put(name, shot.resize((width, round(width * shot.height / shot.width)), Image.Resampling.LANCZOS))

    def keep_pages(self, name: str, pdf: Path, most: int = 4) -> None:
        """The first pages of a document side by side as a picture."""
        import pypdfium2

        pages = pypdfium2.PdfDocument(pdf)
        shown = [pages[number].render(scale=2).to_pil().convert("RGB") for number in range(min(most, len(pages)))]
        wide = (PICTURE_WIDTH - 12 * (len(shown) + 1)) // len(shown)
        tall = round(wide * shown[0].height / shown[0].width)
        picture = Image.new("RGB", (PICTURE_WIDTH, tall + 24), "#d8d3ca")
        for number, page in enumerate(shown):
            small = page.resize((wide, tall), Image.Resampling.LANCZOS)
            picture.paste(small, (12 + number * (wide + 12), 12))
        self.put(name, picture)

    def put(self, name: str, small: Image.Image) -> None:
        """Kept as small as it must be."""
        self.pictures.mkdir(parents=True, exist_ok=True)
        path = self.pictures / f"{name}.webp"
        for quality in range(82, 20, -6):
            small.save(path, quality=quality, method=6)
            if path.stat().st_size <= PICTURE_BYTES:
                break
        self.kept[name] = path


# --- the steps, in their order ---


def dream(guide: Guide) -> None:
    """Choose a type of pattern: a network dreams four new fabrics, and the first is worn at once."""
    guide.pause(2)
    guide.press("label:has([name='engine'][value='dreamed'])")
    guide.press("label.type:has([value='paisley'])")
    guide.wait(".cell.chosen[data-type='paisley']")
    guide.made()
    guide.pause(3)


def repeat(guide: Guide) -> None:
    """Half-drop, brick, mirror, ogee: the fabric is made for its repeat, to scale in centimetres."""
    guide.press("label.type:has([value='floral'])")
    guide.wait(".cell.chosen[data-type='floral']")
    guide.made()
    guide.press("[title='half-drop']")
    guide.wait("[data-repeat-said]:has-text('cm, half-drop'):not(:has-text('Making'))")
    guide.pause(1)
    guide.page.locator("#scale").fill("24")
    guide.wait("[data-repeat-said]:has-text('24 × 24 cm')")
    guide.pause(3)


def dye(guide: Guide) -> None:
    """Replace an ink, by eye or by number: three colourways that follow by rule are dyed at once."""
    count = guide.page.locator("#tray .cell[data-pattern]").count()
    guide.press("#inks > summary")
    guide.wait("#inks-table .ink")
    guide.pause(1)
    guide.page.locator("#ink-1").fill("#1f5f8f")
    guide.until("!document.querySelector('.htmx-request') && document.querySelector('#ink-1').value === '#1f5f8f'")
    guide.pause(1.5)
    guide.press("#inks-colourways")
    guide.until(f"document.querySelectorAll('#tray .cell[data-pattern]').length >= {count + 3}")
    guide.made()
    guide.pause(2.5)


def wear(guide: Guide) -> None:
    """The same cloth on another garment; the handle compares before and after."""
    guide.press("#inks > summary")
    guide.press("#wearable-garment-skirt")
    guide.wait("#wearable-garment-skirt[aria-current]")
    guide.wait(READY)
    guide.pause(1)
    guide.page.locator("#turn").fill("20")
    guide.pause(3)


def photo(guide: Guide) -> None:
    """A photo of yours: its clothes are found, the fabric follows their folds, and it never leaves this machine."""
    worn = ROOT / "ml_backend" / "garments" / "shirt" / "photo.webp"
    guide.page.set_input_files("#photo-file", worn)
    guide.wait(".wearable[data-kind='photo'][data-maps][aria-current]")
    guide.until("location.search.includes('photo=')")
    guide.wait(READY)
    guide.pause(1)
    everything = "[data-everything]"
    if guide.page.locator(everything).first.is_visible():
        guide.press(everything)
        guide.wait(READY)
    guide.pause(3.5)


def cloth(guide: Guide) -> None:
    """A photo of a real cloth is laid flat and evenly lit; its repeat is found, joined and parted into inks."""
    from ml_backend.evaluation.photographed import photographed

    shot = photographed("rose", 7)
    guide.open("/cloth/")
    target = io.BytesIO()
    shot.photo.save(target, "JPEG", quality=92)
    file = {"name": "cloth.jpg", "mimeType": "image/jpeg", "buffer": target.getvalue()}
    guide.page.set_input_files("#cloth-file", file)  # type: ignore[arg-type]
    guide.press(".cloth-upload .button")
    guide.wait("#cloth-form")
    guide.pause(1.5)
    guide.page.locator(".numbers > summary").click()
    for number, share in enumerate(shot.corners):
        guide.page.locator(f"[name='corner_{number}']").fill(f"{100 * share:.1f}")
        guide.page.keyboard.press("Tab")
        guide.pause(0.15)
    guide.page.locator(".numbers > summary").click()
    guide.wait("#found:not([aria-busy]):has-text('A repeat was found')")
    guide.page.mouse.wheel(0, -2000)
    guide.pause(3)
    guide.keep("cloth")
    guide.press("#cloth-form .button.primary")
    guide.wait(".cell.chosen[data-engine='photographed']")
    guide.made()
    guide.pause(2)


def restyle(guide: Guide) -> None:
    """Say what to change and into what: the words become a mask, and variations arrive beside the original."""
    guide.open("/restyle/?garment=dress", "[data-table][data-state='ready']")
    guide.pause(1)
    guide.page.locator("#prompt").fill("small flowers in red and pink on white")
    guide.pause(1)
    guide.page.select_option("#count", "3")
    guide.press("#ask")
    guide.wait(".batch:not([data-follow]) .tile:nth-child(4)")
    guide.pause(3)


def imagine(guide: Guide) -> None:
    """From words alone: a garment, its colours and its pattern, in four pictures."""
    guide.open("/imagine/")
    guide.pause(0.5)
    guide.page.locator("#prompt").fill("a shirt in green and blue tartan")
    guide.page.select_option("[name='count']", "4")
    guide.press("#imagine")
    guide.until("document.querySelectorAll(\".picture[data-state='done']\").length >= 4")
    guide.page.mouse.wheel(0, 420)
    guide.pause(3)


def printing(guide: Guide) -> None:
    """To a roll of cloth: one repeat, a panel or a plate for each ink, in centimetres at 300 dpi."""
    guide.open("/", READY)
    guide.press("#downloads > summary")
    guide.pause(1)
    guide.press("[data-print-link]")
    guide.wait(".plan-words")
    guide.press(".print-kinds .chip:has-text('a panel')")
    for name in ("#id_width", "#id_height"):
        guide.page.locator(name).fill("30")
    guide.wait(".plan-words:has-text('30 × 30 cm')")
    guide.pause(1)
    guide.press(".print-form .button.primary")
    guide.wait("#made .button:has-text('Download')")
    guide.pause(2.5)


def pack(guide: Guide) -> None:
    """A tech pack tells the maker everything: the repeat's measures, colourways with codes, the garments."""
    guide.page.locator("#id_notes").fill("Match at the centre front. Organic cotton, 140 g.")
    guide.page.locator("#id_notes").scroll_into_view_if_needed()
    guide.pause(1.5)
    guide.press(".printing-desk section .button:has-text('Make the tech pack')")
    guide.wait("#made .print:has-text('5 pages')")
    guide.page.locator("#made").scroll_into_view_if_needed()
    with guide.page.expect_download() as download:
        guide.press("#made .print:has-text('5 pages') .button:has-text('Download')")
    guide.keep_pages("pack", Path(download.value.path()))
    guide.pause(2.5)


def collect(guide: Guide) -> None:
    """A collection of a hero and what goes with it, made in its colours; a private link shows it for a time."""
    guide.press(".printing-cloth .help a")
    guide.press("button:has-text('Add to a collection')")
    guide.press("button:has-text('Make what goes with it')")
    guide.until("document.querySelectorAll('a.board-cloth').length === 6")
    guide.page.evaluate("scrollTo(0, 0)")
    guide.pause(3.5)


def gallery(guide: Guide) -> None:
    """What others have shown, by type, by design and by any colour; remix takes every control along."""
    guide.open("/gallery/")
    guide.pause(3)


def phone(guide: Guide) -> None:
    """All of it on a phone as well, and installed there if you like: what was seen last opens without a connection."""
    browser = guide.page.context.browser
    assert browser
    context = browser.new_context(viewport=PHONE, device_scale_factor=2, service_workers="block")
    small = Guide(context.new_page(), guide.url, guide.pictures, 0, guide.kept)
    small.open("/", READY)
    small.page.wait_for_timeout(800)  # the fabric comes up softly
    small.keep("phone")
    context.close()


STEPS: tuple[Callable[[Guide], None], ...] = (
    dream, repeat, dye, wear, photo, cloth, restyle, imagine, printing, pack, collect, gallery, phone
)  # fmt: skip
TITLES = {
    "dream": "Dream a fabric",
    "repeat": "Give it a repeat",
    "dye": "Dye it",
    "wear": "Wear it",
    "photo": "On your own photo",
    "cloth": "From a real cloth",
    "restyle": "Restyle by words",
    "imagine": "Imagine",
    "printing": "Print",
    "pack": "Hand it to a maker",
    "collect": "Collect",
    "gallery": "Look around",
    "phone": "Take it along",
}


def told(step: Callable[[Guide], None]) -> str:
    """The sentence of a step."""
    return " ".join((step.__doc__ or "").split())


def walk(guide: Guide, steps: Sequence[Callable[[Guide], None]] = STEPS) -> None:
    """All steps; each leaves a picture of its last view unless it kept one itself."""
    guide.page.context.add_init_script(OVERLAY)
    guide.page.set_default_timeout(1000 * PATIENCE)
    guide.open("/", READY)
    for step in steps:
        guide.page.evaluate(SAY, told(step))
        step(guide)
        if step.__name__ not in guide.kept:
            guide.keep(step.__name__)


def write(out: Path, kept: dict[str, Path]) -> Path:
    """``tour.md`` in ``out``: a picture and a sentence for each step that has one."""
    lines = ["# Toile in two minutes", "", "Made by `script/tour`, which films the same way as it goes.", ""]
    for step in STEPS:
        if path := kept.get(step.__name__):
            title, sentence = TITLES[step.__name__], told(step)
            lines += [f"## {title}", "", sentence, "", f"![{title}]({path.relative_to(out).as_posix()})", ""]
    page = out / "tour.md"
    page.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return page


# --- the server, the browser, the film ---


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """A server with its workers and all that it keeps in ``folder``; its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, str(ROOT / "script" / "serve.py"), "--port", str(port)]
    environment = {**os.environ, "TOILE_DATA_DIR": str(folder)}
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for(url, server)
            yield url
        finally:
            server.terminate()
            server.wait()


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 4 * PATIENCE  # an empty folder is filled first
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise SystemExit("The server did not start; run script/server to see why.")


def shortened(at: float, waits: Sequence[tuple[float, float]]) -> float:
    """When that is in the film, in which no wait lasts longer than :data:`WAIT_SHOWN`."""
    return at - sum(max(0.0, min(at, end) - begin - WAIT_SHOWN) for begin, end in waits)


class Film:
    """What a page shows, frame by frame as the browser paints it, and in the end a film of it."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.folder, self.frames = folder, list[tuple[float, Path]]()
        folder.mkdir(parents=True)
        self.browser = page.context.new_cdp_session(page)
        self.browser.on("Page.screencastFrame", self._take)
        size = {"maxWidth": VIEW["width"], "maxHeight": VIEW["height"]}
        self.browser.send("Page.startScreencast", {"format": "jpeg", "quality": 88, **size})

    def _take(self, frame: dict[str, Any]) -> None:
        self.browser.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})
        path = self.folder / f"{len(self.frames):06d}.jpg"
        path.write_bytes(base64.b64decode(frame["data"]))
        self.frames.append((time.monotonic(), path))

    def cut(self, path: Path, waits: Sequence[tuple[float, float]]) -> None:
        """The film as WebM: each frame stays until the next was painted; of ``waits`` only the beginnings are shown."""
        self.browser.send("Page.stopScreencast")
        times = [shortened(at, waits) for at, _ in self.frames]
        stays = [end - at for at, end in pairwise([*times, times[-1] + 3])]
        shown = [(file, stay) for (_, file), stay in zip(self.frames, stays, strict=True) if stay > 0.01]
        lines = [f"file '{file}'\nduration {stay:.3f}" for file, stay in shown]
        listed = self.folder / "frames.txt"
        listed.write_text("\n".join([*lines, f"file '{self.frames[-1][1]}'"]) + "\n", encoding="utf-8")
        path.parent.mkdir(parents=True, exist_ok=True)
        size = f"scale={VIEW['width']}:{VIEW['height']}"
        look = ["-vf", f"{size},fps=10", "-c:v", "libvpx", "-b:v", "1M", "-deadline", "realtime", "-cpu-used", "8"]
        read = ["-f", "concat", "-safe", "0", "-i", str(listed)]
        subprocess.run(["ffmpeg", "-y", "-loglevel", "error", *read, *look, str(path)], check=True)


def launched(playwright: object) -> Browser:
    """The browser of ``TOILE_BROWSER``, the machine's, or Playwright's own."""
    chosen = os.environ.get("TOILE_BROWSER") or shutil.which("chromium") or shutil.which("chromium-browser")
    arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
    return playwright.chromium.launch(executable_path=chosen, args=arguments)  # type: ignore[attr-defined,no-any-return]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="where tour.md and its pictures go")
    parser.add_argument("--film", type=Path, default=ROOT / "runs" / "tour.webm")
    parser.add_argument("--steps", nargs="+", choices=TITLES, help="only these; tour.md is left as it is")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is closed as well
    steps = [step for step in STEPS if not options.steps or step.__name__ in options.steps]
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as url, sync_playwright() as playwright:
        browser = launched(playwright)
        page = browser.new_context(viewport=VIEW, service_workers="block").new_page()
        film = Film(page, Path(folder) / "film") if shutil.which("ffmpeg") else None
        guide = Guide(page, url, options.out / "pictures" / "tour")
        walk(guide, steps)
        written = [] if options.steps else [write(options.out, guide.kept)]
        if film:
            film.cut(options.film, guide.waits)
        browser.close()
    for path in (*guide.kept.values(), *written):
        sys.stdout.write(f"{path}\n")
    sys.stdout.write(f"{options.film}\n" if film else "No film: ffmpeg is not installed.\n")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
