"""The layout of Fashion Product Images: a table with broken rows beside a folder of pictures."""

import pytest
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.training.data.captioned_folder import records, split
from ml_backend.training.data.fashion import number_shown, plural, read_fashion, singular
from ml_backend.words.builder import Outfit

HEAD = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName"
SHIRT = "1,Men,Apparel,Topwear,Shirts,Navy Blue,Fall,2011,Casual,Turtle Check Men Navy Blue Shirt"


@pytest.fixture
def shop(tmp_path):
    """Writes a folder with those rows and a picture for each of those ids."""

    def write(*rows, pictures=("1",), head=HEAD):
        (tmp_path / "images").mkdir(exist_ok=True)
        for name in pictures:
            Image.new("RGB", (8, 8), "navy").save(tmp_path / "images" / f"{name}.jpg")
        (tmp_path / "styles.csv").write_bytes("\n".join([head, *rows]).encode() + b"\n")
        return tmp_path

    return write


def said(folder):
    return {picture.path.stem: picture.text for picture in read_fashion(folder).pictures}


def test_the_caption_is_the_sentence_that_the_builder_of_imagine_makes(shop):
    wanted = Outfit("2011", "Casual", "Fall", "Navy Blue", "Men", "Shirt").sentence()

    assert said(shop(SHIRT)) == {"1": wanted} == {"1": "an image of a 2011 Casual Fall Navy Blue Men's Shirt"}


def test_a_picture_is_a_captioned_one_without_a_mask(shop):
    (picture,) = read_fashion(shop(SHIRT)).pictures

    assert picture.path.name == "1.jpg"
    assert picture.mask is None


@pytest.mark.parametrize(
    ("row", "caption"),
    [
        (
            "1,Women,Apparel,Topwear,Tops,None,Summer,2012.0,Casual,A top",
            "an image of a 2012 Casual Summer Women's Top",
        ),
        ("1,Women,Apparel,Topwear,Tunics,NA,NA,NA,Ethnic,A tunic", "an image of an Ethnic Women's Tunic"),
        ("1,Unisex,Apparel,Topwear,Tshirts,,,,,", "an image of a Unisex T-shirt"),
        ("1,nan,Apparel,Topwear,Tshirts,nan,nan,nan,nan,nan", "an image of a T-shirt"),
        ("1,Men,Apparel,Bottomwear,Jeans,Blue,,,,Levis Jeans", "an image of Blue Men's Jeans"),
        ("1,Men,Apparel,Bottomwear,Track Pants,Black,,,,Pants", "an image of Black Men's Track Pants"),
        ("1,Women,Apparel,Dress,Dresses,Red,,1812,,A dress", "an image of a Red Women's Dress"),
        (
            "1,Women,Apparel,Innerwear,Camisoles,White,Summer,2014,Casual,Amante Pack of 3 Camisoles",
            "an image of three 2014 Casual Summer White Women's Camisoles",
        ),
        ("1,Men,Apparel,Topwear,Waistcoat,Grey,,,,Set of two", "an image of two Grey Men's Waistcoats"),
        ("1,Men,Apparel,Innerwear,Briefs,Grey,,,,Pack of 20", "an image of 20 Grey Men's Briefs"),
    ],
)
def test_parts_that_are_missing_are_dropped_and_the_article_agrees_in_number(shop, row, caption):
    assert said(shop(row)) == {"1": caption}


@pytest.mark.parametrize(
    ("article", "one", "many"),
    [
        ("Tshirts", "T-shirt", "T-shirts"),
        ("Lounge Tshirts", "Lounge T-shirt", "Lounge T-shirts"),
        ("Dresses", "Dress", "Dresses"),
        ("Nightdress", "Nightdress", "Nightdresses"),
        ("Sarees", "Saree", "Sarees"),
        ("Baby Bodies", "Baby Body", "Baby Bodies"),
        ("Swimwear", "Swimwear", "Swimwear"),
        ("Shorts", "Shorts", "Shorts"),
        ("Rain Trousers", "Rain Trousers", "Rain Trousers"),
        ("Salwar and Dupatta", "Salwar and Dupatta", "Salwar and Dupattas"),
        ("Watches", "Watch", "Watches"),
    ],
)
def test_articles_in_the_singular_and_in_the_plural(article, one, many):
    assert (singular(article), plural(article)) == (one, many)


def test_how_many_are_shown_stands_in_the_name():
    assert [number_shown(name) for name in ("Shirt", "Pack of 3", "pack of Two tees", "Sets of 12", "Pack of 0")] == [
        1,
        3,
        2,
        12,
        1,
    ]


def test_what_is_not_clothing_is_left_out_and_counted(shop):
    folder = shop(
        SHIRT,
        "2,Men,Accessories,Watches,Watches,Black,Winter,2016,Casual,A watch",
        "3,Men,Footwear,Shoes,Casual Shoes,White,Summer,2013,Casual,Shoes",
        "4,Men,Apparel,Topwear,Suspenders,Black,Summer,2013,Casual,Suspenders",
        pictures=("1", "2", "3", "4"),
    )

    assert list(said(folder)) == ["1"]
    assert read_fashion(folder).left_out == {"not clothing": 3}


def test_broken_rows_do_not_take_others_along(shop):
    comma = "2,Men,Apparel,Topwear,Tshirts,Red,Summer,2011,Casual,Tee, red, round neck"
    moved = "3,Men,Apparel,Top,wear,Tshirts,Red,Summer,2011,Casual,Tee"
    quote = '4,Men,Apparel,Topwear,Tshirts,Red,Summer,2011,Casual,"A lost mark'
    null = "5,Men,Apparel,Topwear,Tsh\0irts,Red,Summer,2011,Casual,Null"
    short = "6,Men,Apparel"
    long = f"7,Men,Apparel,Topwear,Tshirts,Red,Summer,2011,Casual,{'x' * 200_000}"
    last = "8,Women,Apparel,Topwear,Tops,Red,Summer,2011,Casual,The last one"
    folder = shop(SHIRT, comma, moved, quote, null, short, long, "", last, pictures=map(str, range(1, 9)))

    found = said(folder)

    assert {"1", "2", "4", "8"} <= found.keys() <= {"1", "2", "4", "5", "8"}
    assert found["2"] == "an image of a 2011 Casual Summer Red Men's T-shirt"
    assert read_fashion(folder).left_out["broken row"] >= 3


def test_missing_empty_and_hostile_pictures_are_left_out(shop, tmp_path):
    (tmp_path / "secret.jpg").write_bytes(b"not for you")
    hostile = ["../secret", "/etc/passwd", "..\\secret", "images/1", "~", "1.jpg"]
    rows = [SHIRT.replace("1,Men", f"{name},Men", 1) for name in (*hostile, "2", "3")]
    folder = shop(SHIRT, SHIRT, *rows, pictures=("1", "3"))
    (folder / "images" / "3.jpg").write_bytes(b"")
    (folder / "images" / "2.jpg").mkdir()

    assert list(said(folder)) == ["1"]
    assert read_fashion(folder).left_out == {"no picture": 8, "told twice": 1}


def test_a_table_of_another_program_is_read_too(shop):
    folder = shop(head="\ufeff" + HEAD + "\r")
    (folder / "styles.csv").write_bytes((f"\ufeff{HEAD}\r\n{SHIRT}\r\n").encode() + b"2,M\xe9n\r\n")

    assert list(said(folder)) == ["1"]


@pytest.mark.parametrize("spoilt", ["no table", "no folder", "no column", "empty", "no row"])
def test_a_folder_that_is_none_says_why(shop, spoilt):
    folder = shop(SHIRT)
    if spoilt == "no table":
        (folder / "styles.csv").unlink()
    if spoilt == "no folder":
        (folder / "images" / "1.jpg").unlink()
        (folder / "images").rmdir()
    if spoilt in ("no column", "empty", "no row"):
        (folder / "styles.csv").write_text({"no column": "id,year\n1,2011\n", "empty": "", "no row": HEAD}[spoilt])

    with pytest.raises(BadInput, match=str(folder)):
        read_fashion(folder)


def test_recipes_find_the_layout_by_its_table_and_split_it_by_the_seed(shop):
    rows = [SHIRT.replace("1,", f"{number},", 1) for number in range(1, 31)]
    folder = shop(*rows, pictures=map(str, range(1, 31)))

    found = records(folder)
    learnt, held = split(found, 0.2, 3)

    assert found == list(read_fashion(folder).pictures)
    assert (len(learnt), len(held)) == (24, 6)
    assert not set(learnt) & set(held)
    assert split(records(folder), 0.2, 3) == (learnt, held)
    assert split(found, 0.2, 4)[1] != held
