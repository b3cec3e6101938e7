"""The small tokenizer in CLIP's format."""

import json

import pytest
from transformers import CLIPTokenizer

from ml_backend.errors import BadInput
from ml_backend.training.tokenizer import END, FEWEST, START, make_tokenizer

LINES = ["a red dress", "the red skirt", "a striped skirt", "a striped dress, red and white"] * 3


def test_it_loads_as_a_clip_tokenizer_and_learns_whole_words(tmp_path):
    make_tokenizer(LINES, tmp_path, vocab_size=600, max_length=16)
    tokenizer = CLIPTokenizer.from_pretrained(tmp_path, local_files_only=True)
    assert tokenizer.tokenize("The red dress") == ["the</w>", "red</w>", "dress</w>"]
    assert tokenizer.model_max_length == 16
    ids = tokenizer(["red dress", "a"], padding="max_length", truncation=True)["input_ids"]
    assert [len(row) for row in ids] == [16, 16]
    start, end = tokenizer.convert_tokens_to_ids([START, END])
    assert ids[0][0] == start
    assert ids[0][3] == ids[0][-1] == ids[1][-1] == end
    assert tokenizer.decode(ids[0], skip_special_tokens=True) == "red dress"


def test_files_are_enough_without_the_fast_form(tmp_path):
    make_tokenizer(LINES, tmp_path, vocab_size=600)
    before = CLIPTokenizer.from_pretrained(tmp_path, local_files_only=True)("a striped red dress")["input_ids"]
    (tmp_path / "tokenizer.json").unlink()
    after = CLIPTokenizer.from_pretrained(tmp_path, local_files_only=True)("a striped red dress")["input_ids"]
    assert before == after


def test_layout_is_clips_own(tmp_path):
    make_tokenizer(LINES, tmp_path, vocab_size=530)
    vocabulary = json.loads((tmp_path / "vocab.json").read_text(encoding="utf-8"))
    assert sorted(vocabulary.values()) == list(range(530))
    assert vocabulary[START], vocabulary[END] == (528, 529)
    merges = (tmp_path / "merges.txt").read_text(encoding="utf-8").splitlines()
    assert merges[0].startswith("#version")
    assert len(merges) == 1 + 530 - FEWEST
    assert all("".join(line.split(" ")) in vocabulary for line in merges[1:])


def test_any_text_has_tokens(tmp_path):
    tokenizer = make_tokenizer(LINES, tmp_path, vocab_size=600)
    for text in ("Spitzenkleid, größer", "ドレス", "🧥 & 100 % wool", "qqq zzz"):
        ids = tokenizer(text)["input_ids"]
        assert ids[-1] == tokenizer.eos_token_id
        assert tokenizer.eos_token_id not in ids[1:-1]


def test_same_lines_same_tokenizer(tmp_path):
    for name in ("one", "two"):
        make_tokenizer(iter(LINES), tmp_path / name, vocab_size=560)
    assert (tmp_path / "one/merges.txt").read_bytes() == (tmp_path / "two/merges.txt").read_bytes()


@pytest.mark.parametrize("sizes", [{"vocab_size": 100}, {"max_length": 2}])
def test_sizes_without_room_are_refused(tmp_path, sizes):
    with pytest.raises(BadInput, match="at least"):
        make_tokenizer(LINES, tmp_path, **sizes)
