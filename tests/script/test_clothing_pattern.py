"""The dataset's list, its variations, and the downloader against a local web server."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml_backend.errors import BadInput, Stopped
from ml_backend.training.data.folder import list_images
from script import clothing_pattern as cpd

HEADER = "Class Name,URL,Original Width,Original Height,Crop X,Crop Y,Crop Width,Crop Height,Scales\n"


def picture(colour: str = "red", size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


class Host(ThreadingHTTPServer):
    """Answers by path; counts what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: Counter[str] = Counter()
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        self.server.asked[self.path] += 1
        first = self.server.asked[self.path] == 1
        match self.path:
            case "/gone.png":
                self.answer(404, b"no")
            case "/text.png":
                self.answer(200, b"<html>parked domain</html>")
            case "/busy.png" if first:
                self.answer(503, b"", {"Retry-After": "7"})
            case "/broken.png":
                self.answer(500, b"")
            case "/cut.png" if first:
                self.answer(200, picture()[:-20], {"Content-Length": str(len(picture()))})
            case "/moved.png":
                self.answer(302, b"", {"Location": "/a.png"})
            case "/away.png":
                self.answer(302, b"", {"Location": "ftp://127.0.0.1/a.png"})
            case _:
                self.answer(200, picture())

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def host() -> Iterator[Host]:
    server = Host()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def source(url: str, label: str = "dotted", **changes: object) -> cpd.Source:
    values: dict[str, object] = {"width": 40, "height": 30, "crop": (0, 0, 40, 30), "scales": (1.0,)} | changes
    return cpd.Source(label, url, **values)  # type: ignore[arg-type]


def test_the_published_format_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        HEADER + "solid,https://example.org/a b.jpg,1920,1280,0,0,1920,1280,0.2474874;0.4949747\r\n"
        'dotted,"http://example.org/x.jpg?a=1,2",396,500,100,150,211,169,1.87446\n',
        encoding="utf-8",
    )
    first, second = cpd.read_csv(path)
    assert first == cpd.Source(
        "solid", "https://example.org/a b.jpg", 1920, 1280, (0, 0, 1920, 1280), (0.2474874, 0.4949747)
    )
    assert second.url == "http://example.org/x.jpg?a=1,2"
    assert second.crop == (100, 150, 211, 169)


@pytest.mark.parametrize(
    "line",
    [
        "../solid,https://example.org/a.jpg,10,10,0,0,10,10,1",
        "solid,file:///etc/passwd,10,10,0,0,10,10,1",
        "solid,https://,10,10,0,0,10,10,1",
        "solid,https://example.org/a.jpg,10,10,5,0,10,10,1",
        "solid,https://example.org/a.jpg,10,10,0,0,10,0,1",
        "solid,https://example.org/a.jpg,10,ten,0,0,10,10,1",
        "solid,https://example.org/a.jpg,10,10,0,0,10,10,-1",
        "solid,https://example.org/a.jpg,10,10,0,0,10,10",
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(HEADER + line + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match="line 2"):
        cpd.read_csv(path)


def test_another_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(BadInput, match="Clothing Pattern"):
        cpd.read_csv(path)
    with pytest.raises(BadInput, match="no list"):
        cpd.read_csv(tmp_path / "none.csv")


def test_download_fetches_reports_and_goes_on(host: Host, tmp_path: Path) -> None:
    names = ("a", "moved", "gone", "text", "away", "busy", "cut", "broken")
    sources = [source(f"{host.url}/{name}.png") for name in names]
    waits: list[float] = []
    report = cpd.download(sources, tmp_path, pause=0, sleep=waits.append)
    assert (report.fetched, report.present) == (4, 0)
    reasons = {link.url.rsplit("/", 1)[1]: (link.reason, link.final) for link in report.dead}
    assert reasons == {
        "gone.png": ("HTTP 404", True),
        "text.png": ("not a picture", True),
        "away.png": ("HTTP 410", True),
        "broken.png": ("HTTP 500", False),
    }
    assert host.asked["/broken.png"] == 3
    assert 6 < max(waits) <= 7, "Retry-After is honoured"
    assert not list(tmp_path.rglob("*.partial"))
    assert len(list_images(tmp_path)) == 4

    before = host.asked.copy()
    again = cpd.download(sources, tmp_path, pause=0, tries=1, sleep=waits.append)
    assert (again.fetched, again.present, len(again.dead)) == (0, 4, 4)
    assert host.asked - before == Counter({"/broken.png": 1}), "only what may have come back is asked for again"


def test_one_host_is_not_hurried(host: Host, tmp_path: Path) -> None:
    waits: list[float] = []
    cpd.download([source(f"{host.url}/{index}.png") for index in range(3)], tmp_path, pause=5, sleep=waits.append)
    assert len(waits) == 2
    assert all(4 < wait <= 5 for wait in waits)


def test_hosts_take_turns() -> None:
    sources = [source(f"http://{host}/{index}") for host in ("a", "b") for index in range(2)]
    assert [item.url for item in cpd.in_turns(sources)] == ["http://a/0", "http://b/0", "http://a/1", "http://b/1"]


def test_an_unreachable_host_is_reported_and_may_come_back(tmp_path: Path, host: Host) -> None:
    host.server_close()
    report = cpd.download([source(f"{host.url}/a.png")], tmp_path, pause=0, tries=2, sleep=lambda _: None)
    assert [link.final for link in report.dead] == [False]


def test_stopping_keeps_what_was_fetched(host: Host, tmp_path: Path) -> None:
    sources = [source(f"{host.url}/{index}.png") for index in range(3)]
    seen: list[float] = []
    with pytest.raises(Stopped):
        cpd.download(
            sources,
            tmp_path,
            pause=0,
            progress=lambda fraction, _: seen.append(fraction),
            should_stop=lambda: len(seen) == 1,
        )
    assert len(list_images(tmp_path)) == 1
    assert cpd.download(sources, tmp_path, pause=0).fetched == 2


def test_variations_are_scales_times_twelve_rotations() -> None:
    image = Image.new("RGB", (80, 60), "white")
    image.paste("blue", (20, 10, 60, 50))
    item = source("http://x/a.png", width=80, height=60, crop=(20, 10, 40, 40), scales=(2.0, 8.0))
    pictures = list(cpd.variations(item, image))
    assert len(pictures) == 2 * 12
    assert {shape.shape for shape in pictures} == {(224, 224, 3)}
    assert all((shape == (0, 0, 255)).all() for shape in pictures), "only the crop is shown, to the very corners"


def test_rotations_turn_the_crop() -> None:
    image = Image.new("RGB", (400, 400), "black")
    image.paste("white", (0, 190, 400, 210))
    pictures = list(cpd.variations(source("http://x/a.png", width=400, height=400, crop=(0, 0, 400, 400)), image))
    across, upright = pictures[0], pictures[3]
    assert across[112, 5, 0] > 200
    assert upright[112, 5, 0] < 50
    assert np.abs(np.rot90(across).astype(int) - upright).mean() < 3


def test_a_shrunken_file_is_cropped_in_proportion() -> None:
    image = Image.new("RGB", (40, 30), "white")
    image.paste("green", (20, 15, 40, 30))
    item = source("http://x/a.png", width=400, height=300, crop=(200, 150, 200, 150), scales=(2.0,))
    assert all((shape == (0, 128, 0)).all() for shape in cpd.variations(item, image))


def test_swatches_of_what_was_downloaded(host: Host, tmp_path: Path) -> None:
    sources = [source(f"{host.url}/a.png", "striped"), source(f"{host.url}/gone.png")]
    cpd.download(sources, tmp_path, pause=0)
    swatches = list(cpd.open_swatches(sources, tmp_path))
    assert len(swatches) == 12
    assert {label for label, _ in swatches} == {"striped"}


def test_from_a_shell(host: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"{HEADER}Striped,{host.url}/a.png,40,30,0,0,40,30,1\n")
    cpd.main([str(path), str(tmp_path / "pictures")])
    assert capsys.readouterr().out == "1 fetched, 0 were there, 0 links lead to no picture.\n"
    assert len(list_images(tmp_path / "pictures")) == 1
    with pytest.raises(SystemExit):
        cpd.main([str(tmp_path / "none.csv"), str(tmp_path)])
    assert "There is no list" in capsys.readouterr().err
