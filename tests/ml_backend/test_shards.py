"""Shards: written, read from disks and over HTTP in a seeded order, and what becomes of broken and hostile ones."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ml_backend import s3
from ml_backend.cli import main
from ml_backend.errors import BadInput
from ml_backend.training.data.shards import Access, Feed, Index, access, read_index, write_shards
from ml_backend.training.data.shards.feed import Lane
from ml_backend.training.data.shards.reading import Encoded, decode, read_shard

COUNT = 23


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures of one grey each, by which they are told apart, in two classes."""
    for number in range(COUNT):
        path = tmp_path / "cloth" / ("floral" if number % 2 else "plaid") / f"{number:02d}x.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (24, 16 + number % 3), (number * 10,) * 3).save(path)
    return tmp_path / "cloth"


@pytest.fixture
def place(folder: Path, tmp_path: Path) -> Path:
    write_shards(folder, tmp_path / "shards", split="all", shard_bytes=300)
    return tmp_path / "shards"


def numbers(encoded: Iterator[Encoded]) -> list[int]:
    return [int(decode(picture)[0, 0, 0]) // 10 for picture in encoded]


def everything(index: Index, using: Access | None = None) -> list[int]:
    return [number for shard in index.shards for number in numbers(read_shard(shard, using or Access()))]


# --- writing and reading ---


def test_every_picture_is_in_the_shards_once_with_its_label(place: Path) -> None:
    index = read_index(str(place))
    assert len(index.shards) >= 4
    assert index.samples == COUNT
    assert sorted(everything(index)) == list(range(COUNT))
    labels = {numbers(iter([encoded]))[0]: encoded.label for encoded in read_shard(index.shards[0], Access())}
    assert all(label == ("floral" if number % 2 else "plaid") for number, label in labels.items())


def test_shards_are_mixed_and_the_same_each_time(folder: Path, place: Path, tmp_path: Path) -> None:
    write_shards(folder, tmp_path / "again", split="all", shard_bytes=300)
    assert (tmp_path / "again" / "index.json").read_text() == (place / "index.json").read_text()
    assert everything(read_index(str(place))) != sorted(everything(read_index(str(place))))


def test_plain_tar_tools_can_read_them(place: Path) -> None:
    with tarfile.open(place / "000000.tar") as tar:
        names = tar.getnames()
    assert names[:2] == ["00000000.png", "00000000.json"]


def test_large_pictures_are_reduced_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "in" / "plaid").mkdir(parents=True)
    Image.new("RGB", (160, 80), (200, 10, 10)).save(tmp_path / "in" / "plaid" / "a.jpg", exif=exif)
    index = write_shards(tmp_path / "in", tmp_path / "out", split="all", longest=80)
    (encoded,) = read_shard(index.shards[0], Access())
    assert decode(encoded).shape == (80, 40, 3)


def test_a_used_folder_is_not_overwritten(folder: Path, place: Path) -> None:
    with pytest.raises(BadInput, match="not empty"):
        write_shards(folder, place)


def test_an_unreadable_picture_is_named(folder: Path, tmp_path: Path) -> None:
    (folder / "plaid" / "broken.jpg").write_bytes(b"\xff\xd8no")
    with pytest.raises(BadInput, match=r"broken\.jpg"):
        write_shards(folder, tmp_path / "out", split="all")
    assert not (tmp_path / "out" / "index.json").exists()


def test_the_command(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["shards", str(folder), str(tmp_path / "out"), "--split", "all", "--shard-mb", "0.001", "--json"]
    assert main(arguments) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["pictures"] == COUNT
    assert answer["shards"] == len(list((tmp_path / "out").glob("*.tar")))


# --- order ---


def lane(place: Path, number: int, lanes: int, seed: int = 3) -> Lane:
    return Lane(read_index(str(place)), Access(), seed=seed, lane=number, lanes=lanes, window=4)


def first(pictures: Iterator[Encoded], count: int) -> list[int]:
    return numbers(picture for _, picture in zip(range(count), pictures, strict=False))


def test_an_epoch_shows_every_picture_once_in_another_order_than_the_last(place: Path) -> None:
    seen = first(lane(place, 0, 1).pictures(0), 2 * COUNT)
    assert sorted(seen[:COUNT]) == sorted(seen[COUNT:]) == list(range(COUNT))
    assert seen[:COUNT] != seen[COUNT:]
    assert seen != first(lane(place, 0, 1, seed=4).pictures(0), 2 * COUNT)


def test_lanes_share_an_epoch(place: Path) -> None:
    lanes = [lane(place, number, 2) for number in range(2)]
    lengths = [sum(shard.samples for shard in each._shards(0)) for each in lanes]
    seen = [number for each, length in zip(lanes, lengths, strict=True) for number in first(each.pictures(0), length)]
    assert sorted(seen) == list(range(COUNT))


@pytest.mark.parametrize("position", [1, 4, 7, COUNT - 1, COUNT, COUNT + 9])
def test_a_lane_goes_on_from_any_position(place: Path, position: int) -> None:
    whole = first(lane(place, 0, 1).pictures(0), position + 12)
    assert first(lane(place, 0, 1).pictures(position), 12) == whole[position:]


def test_more_lanes_than_shards_are_refused(place: Path) -> None:
    with pytest.raises(BadInput, match="fewer lanes"):
        lane(place, 0, 100)


def fed(feed: Feed, steps: range) -> list[list[int]]:
    with feed:
        return [[int(picture[0, 0, 0]) // 10 for picture in feed(step)] for step in steps]


def test_workers_see_their_part_of_what_one_would_see(place: Path) -> None:
    index = read_index(str(place))
    settings: dict[str, Any] = {"seed": 5, "lanes": 4, "window": 3}
    whole = fed(Feed(index, **settings), range(12))
    parts = [fed(Feed(index, **settings, mine=slice(start, start + 2)), range(12)) for start in (0, 2)]
    assert [a + b for a, b in zip(*parts, strict=True)] == whole
    assert fed(Feed(index, **settings), range(7, 12)) == whole[7:], "and go on in the middle"


def test_a_feed_can_be_asked_for_an_earlier_step(place: Path) -> None:
    with Feed(read_index(str(place)), seed=5, lanes=2, window=3) as feed:
        seen = [[int(picture[0, 0, 0]) for picture in feed(step)] for step in (4, 5, 1, 4)]
    assert seen[0] == seen[3]
    assert seen[0] != seen[2]


def test_a_feed_raises_what_its_reader_met(place: Path) -> None:
    (place / "000001.tar").unlink()
    with Feed(read_index(str(place)), seed=5, lanes=2, window=3) as feed, pytest.raises(BadInput, match=r"000001\.tar"):
        for step in range(COUNT):
            feed(step)


# --- over a network ---


@dataclass
class Server:
    """An HTTP server of a folder, with ranges; ``cut`` breaks off the first answers after so many bytes."""

    root: Path
    cut: list[int] = field(default_factory=list)
    refuse: int = 0
    ranges: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.partition("?")[0]
        wanted = request.headers.get("Range", "")
        self.asked.append((path, wanted))
        file = self.root / path.lstrip("/")
        if self.refuse or not file.is_file():
            request.send_error(self.refuse or 404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        data = file.read_bytes()[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data[: self.cut.pop(0)] if path.endswith(".tar") and self.cut else data)
        request.close_connection = True


@pytest.fixture
def server(place: Path) -> Iterator[Server]:
    serving = Server(place)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            serving.answer(self)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        serving.address = f"http://127.0.0.1:{http.server_port}"
        yield serving
        http.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "WAIT_SECONDS", 0.001)


def test_shards_stream_over_http(server: Server, place: Path) -> None:
    assert everything(read_index(server.address)) == everything(read_index(str(place)))


def test_the_signature_of_a_place_goes_to_every_shard_and_into_no_message(server: Server) -> None:
    index = read_index(f"{server.address}/?signature=secret")
    assert index.shards[0].address == f"{server.address}/000000.tar?signature=secret"
    server.refuse = 403
    with pytest.raises(BadInput, match="403") as caught:
        list(read_shard(index.shards[0], Access()))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_connection_goes_on_where_it_broke(server: Server, place: Path, ranges: bool) -> None:
    server.cut, server.ranges = [700, 1500], ranges
    (shard, *_) = read_index(server.address).shards
    assert numbers(read_shard(shard, Access())) == everything(Index("", read_index(str(place)).shards[:1]))
    assert len([path for path, _ in server.asked if path == "/000000.tar"]) == 3
    assert server.asked[-1][1] != ""


def test_a_connection_that_stays_broken_is_a_sentence(server: Server) -> None:
    index = read_index(server.address)
    server.cut = [500, 0, 0, 0, 0, 0, 0]
    with pytest.raises(BadInput, match="breaks off at byte 500"):
        list(read_shard(index.shards[0], Access()))


def test_a_missing_index_is_a_sentence(server: Server) -> None:
    with pytest.raises(BadInput, match="404"):
        read_index(f"{server.address}/elsewhere")


def test_remote_shards_are_cached_once_and_checked(server: Server, tmp_path: Path) -> None:
    index, using = read_index(server.address), Access(cache=tmp_path / "cache")
    whole = everything(index, using)
    asked = len(server.asked)
    assert everything(index, using) == whole
    assert len(server.asked) == asked, "the second epoch comes from the disk"
    kept = sorted(path.name for path in (tmp_path / "cache").iterdir())
    assert kept == sorted(f"{shard.sha256}.tar" for shard in index.shards)
    (tmp_path / "cache" / kept[0]).write_bytes(bytes((tmp_path / "cache" / kept[0]).stat().st_size))
    with pytest.raises(BadInput):
        everything(index, using)


def test_a_small_cache_keeps_what_fits(server: Server, tmp_path: Path) -> None:
    index = read_index(server.address)
    using = Access(cache=tmp_path / "cache", cache_bytes=index.shards[0].size)
    assert sorted(everything(index, using)) == list(range(COUNT))
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_what_was_not_read_to_the_end_is_not_kept(server: Server, tmp_path: Path) -> None:
    shard = read_index(server.address).shards[0]
    stream = Access(cache=tmp_path / "cache").open(shard.address, shard.size, shard.sha256)
    assert len(stream.read(512)) == 512
    stream.close()
    assert not list((tmp_path / "cache").iterdir())


def test_an_opener_can_be_handed_in(place: Path) -> None:
    asked = []

    def open_it(address: str, start: int) -> io.BytesIO:
        asked.append(address)
        return io.BytesIO((place / address.removeprefix("s3://bucket/set/")).read_bytes()[start:])

    using = Access({"s3": open_it})
    assert sorted(everything(read_index("s3://bucket/set", using), using)) == list(range(COUNT))
    assert asked[:2] == ["s3://bucket/set/index.json", "s3://bucket/set/000000.tar"]
    with pytest.raises(BadInput, match="opener for s3"):
        read_index("s3://bucket/set")


def test_the_opener_for_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3
    from botocore.response import StreamingBody
    from botocore.stub import Stubber

    client = boto3.client("s3", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    monkeypatch.setattr(s3, "_client", lambda: client)
    with Stubber(client) as stub:
        body = StreamingBody(io.BytesIO(b"later"), 5)
        stub.add_response("get_object", {"Body": body}, {"Bucket": "bucket", "Key": "set/0.tar", "Range": "bytes=7-"})
        assert s3.open_object("s3://bucket/set/0.tar", 7).read() == b"later"
        stub.add_client_error("get_object", "AccessDenied")
        with pytest.raises(BadInput, match="AccessDenied"):
            s3.open_object("s3://bucket/set/0.tar", 0)
        stub.add_client_error("get_object", "SlowDown")
        with pytest.raises(OSError, match="SlowDown"):
            s3.open_object("s3://bucket/set/0.tar", 0)


@pytest.mark.parametrize("opener", ["s3", "s3=nowhere.at_all:f", "s3=json:nothing", "=json:loads", "s3=json:__name__"])
def test_an_opener_that_is_none_is_refused(tmp_path: Path, opener: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "recipe.json").write_text('{"recipe": "classifier"}')
    recipe, run_dir = str(tmp_path / "recipe.json"), str(tmp_path / "run")
    assert main(["train", recipe, "--run-dir", run_dir, "--opener", opener]) == 2
    assert "SCHEME=MODULE:FUNCTION" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


# --- broken and hostile shards ---


def picture(side: int = 8) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (side, side), (9, 9, 9)).save(stream, "PNG")
    return stream.getvalue()


def member(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, len(data), "/etc/passwd" if kind != tarfile.REGTYPE else ""
    return info, data


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def handed(tmp_path: Path, data: bytes, **changes: object) -> list[Encoded]:
    """What is read of a shard made of ``data``; its index is true but for ``changes``."""
    entry = {"name": "0.tar", "samples": 1, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (tmp_path / "0.tar").write_bytes(data)
    index = {"format": "toile-shards-1", "shards": [entry | changes]}
    (tmp_path / "index.json").write_text(json.dumps(index))
    return list(read_shard(read_index(str(tmp_path)).shards[0], Access()))


def huge_header() -> bytes:
    info, data = member("a.png", picture())
    info.pax_headers = {"comment": "x" * (2 * 1024**2)}
    return archive((info, data))


def sparse_bomb() -> bytes:
    info, _ = member("a.png")
    info.size = 60 * 1024**3
    return info.tobuf(tarfile.GNU_FORMAT) + b"x" * 1024


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: archive(member("../a.png", picture())), "not plain"),
        (lambda: archive(member("/etc/a.png", picture())), "not plain"),
        (lambda: archive(member("a.png", kind=tarfile.SYMTYPE)), "no plain file"),
        (lambda: archive(member("a.png", kind=tarfile.CHRTYPE)), "no plain file"),
        (lambda: archive(member("a.json", b"{}")), "no picture"),
        (lambda: archive(member("a.png", picture()), member("a.json", b"{")), "not JSON"),
        (lambda: archive(member("a.json", b"[" * 100_000), member("a.png", picture())), "not JSON"),
        (lambda: archive(member("a.json", b" " * (1024**2 + 1)), member("a.png", picture())), "at most"),
        (lambda: archive(member("a.png", picture()), member("b.png", picture())), "more pictures"),
        (lambda: archive(), "only 0"),
        (lambda: archive(member("a.png", picture()))[:700], "not a whole tar"),
        (huge_header, "headers"),
        (sparse_bomb, "at most"),
        (lambda: b"no archive at all" * 99, "not a whole tar"),
    ],
)
def test_a_hostile_shard_is_refused_in_a_sentence(tmp_path: Path, make: Callable[[], bytes], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        handed(tmp_path, make())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "../0.tar"}, "plain name"),
        ({"name": "http://elsewhere/0.tar"}, "plain name"),
        ({"samples": 0}, "cannot be"),
        ({"samples": True}, "cannot be"),
        ({"bytes": 10**18}, "cannot be"),
        ({"sha256": "0" * 63}, "no SHA-256"),
        ({"sha256": "0" * 64}, "differs"),
        ({"bytes": 100_000}, "breaks off"),
    ],
)
def test_an_index_that_lies_is_refused_in_a_sentence(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        handed(tmp_path, archive(member("a.png", picture()), member("a.json", b'{"label": "plaid"}')), **changes)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "other"}', '{"format": "toile-shards-1", "shards": []}'])
def test_what_is_no_index_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(BadInput, match=r"index\.json"):
        read_index(str(tmp_path))


@pytest.mark.parametrize("data", [b"\xff\xd8\xff", b"GIF89a" + bytes(40)])
def test_what_is_no_picture_is_named(data: bytes) -> None:
    with pytest.raises(BadInput, match=r"0\.tar:a"):
        decode(Encoded(data, "", "0.tar:a"))


def test_a_picture_with_too_many_pixels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from ml_backend.training.data.shards import reading

    monkeypatch.setattr(reading, "MAX_PIXELS", 63)
    with pytest.raises(BadInput, match="8x8 pixels"):
        decode(Encoded(picture(8), "", "0.tar:a"))


def test_unknown_files_beside_a_picture_are_passed_over(tmp_path: Path) -> None:
    data = archive(member("a.txt", b"words"), member("a.PNG", picture()), member("a.json", b'{"label": 5}'))
    (encoded,) = handed(tmp_path, data)
    assert (encoded.label, decode(encoded).shape) == ("", (8, 8, 3))
    assert np.array_equal(np.unique(decode(encoded)), [9])
