"""The table of figures that the shell writes and pages show."""

import json
import subprocess
import sys

import pytest

from ml_backend.errors import BadInput
from ml_backend.evaluation.table import (
    Row,
    about,
    compared_lines,
    from_json,
    lines,
    markdown,
    said,
    side_by_side,
    to_json,
    with_rows,
)

KID = Row("kid", 0.042, 0.003, 400, "classifier-starter@12a08dfbe112", "photos", "evaluate kid a b")


def test_a_row_is_seven_keys_of_json_and_comes_back_as_it_was():
    written = json.loads(json.dumps(to_json([KID, Row("seam", 0.8)])))

    assert list(written[0]) == ["metric", "value", "deviation", "n", "features", "data", "command"]
    assert from_json(written) == (KID, Row("seam", 0.8))
    assert from_json({"metric": "kid", "kid": 0.042, "table": written}) == (KID, Row("seam", 0.8))


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "kid",
        {"kid": 1},
        ["kid"],
        [{"metric": "kid"}],
        [{"metric": "kid", "value": 1.0, "colour": "red"}],
        [{"metric": "kid", "value": "low"}],
        [{"metric": "kid", "value": True}],
        [{"metric": "kid", "value": None}],
        [{"metric": "kid", "value": float("nan")}],
        [{"metric": "kid", "value": 1.0, "deviation": float("inf")}],
        [{"metric": "kid", "value": 1.0, "n": -1}],
        [{"metric": "kid", "value": 1.0, "n": 1.5}],
        [{"metric": "", "value": 1.0}],
        [{"metric": ["kid"], "value": 1.0}],
        [{"metric": "kid", "value": 1.0, "data": 7}],
    ],
)
def test_what_is_no_table_is_said_to_be_none(wrong):
    with pytest.raises(BadInput, match=r"no (table|figure)"):
        from_json(wrong)


def test_a_figure_measured_again_takes_the_place_of_the_old_one_and_others_stay():
    again, other = Row("kid", 0.03, features=KID.features, data="photos"), Row("kid", 0.5, features="inception")

    assert with_rows([KID, Row("seam", 0.8)], [again, other]) == (again, Row("seam", 0.8), other)


def test_versions_stand_side_by_side_only_where_their_figures_may_be_compared():
    better = Row("kid", 0.03, 0.002, 400, KID.features, "photos")
    elsewhere = Row("kid", 0.001, None, 20, "inception", "photos")
    found = side_by_side({"one": [KID, Row("ssim", 0.9)], "two": [better, elsewhere, Row("ssim", 0.8)]})

    assert [(line.metric, line.features, line.best) for line in found] == [
        ("kid", KID.features, (False, True)),
        ("ssim", "", (True, False)),
        ("kid", "inception", (False, False)),
    ]
    assert found[2].cells == (None, elsewhere)
    assert side_by_side({}) == ()


def test_a_metric_that_nobody_ranks_has_no_winner():
    assert side_by_side({"a": [Row("diversity", 0.9)], "b": [Row("diversity", 1.1)]})[0].best == (False, False)
    assert side_by_side({"a": [Row("oddity", 0.9)], "b": [Row("oddity", 1.1)]})[0].best == (False, False)


def test_names_made_of_a_metric_are_understood():
    assert (about("kid_floral").label, about("kid_floral").better) == ("KID, floral", "lower")
    assert about("drawn_srgan_psnr").better == "higher"
    assert about("of_our_own").label == "of our own"


def test_people_read_value_deviation_and_number():
    assert said(KID) == "0.0420 ± 0.0030 (n = 400)"
    assert said(Row("seam", 12345.678)) == "12345.7"
    assert said(None) == "–"
    assert lines([KID]) == ["KID  0.0420 ± 0.0030 (n = 400)  classifier-starter@12a08dfbe112  photos"]
    assert (
        "0.0300 *" in compared_lines({"one": [KID], "two": [Row("kid", 0.03, None, None, KID.features, "photos")]})[1]
    )


def test_a_table_of_markdown_stays_one_table():
    assert markdown(("a", "b"), [("1|2", "3\n4")]) == "| a | b |\n| --- | --- |\n| 1\\|2 | 3 4 |\n"


def test_a_page_may_import_it_without_torch():
    code = "import sys, ml_backend.evaluation.table; sys.exit('torch' in sys.modules or 'django' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
