"""What small screens, screen readers and eyes that need contrast rely on."""

from __future__ import annotations

import pytest
from django.conf import settings

NARROW = (320, 344, 360, 375, 376, 400, 430, 454, 455, 480)

MENU = """() => {
  const summary = document.querySelector(".bar .menu > summary");
  const box = summary.getBoundingClientRect();
  const links = [...document.querySelectorAll(".bar nav a")].filter((one) => one.checkVisibility());
  const last = links.at(-1).getBoundingClientRect();
  return {left: box.left, right: box.right, width: box.width, height: box.height, name: summary.textContent.trim(),
    rooms: last.right, page: document.documentElement.scrollWidth};
}"""


def sign_in(page, url, user):
    from django.test import Client

    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": url}])


@pytest.mark.parametrize("who", ["guest", "staff"])
def test_the_persons_menu_is_whole_and_named_on_every_width(new_page, shop, staff, who):
    page = new_page(viewport={"width": 400, "height": 700})
    if who == "staff":
        sign_in(page, shop, staff)
    for path in ("/account/", "/imagine/"):
        page.goto(shop + path)
        for width in NARROW:
            page.set_viewport_size({"width": width, "height": 700})
            seen = page.evaluate(MENU)
            assert seen["left"] >= 0, (path, width)
            assert seen["right"] <= width, (path, width)
            assert seen["page"] == width, (path, width)
            assert seen["rooms"] <= seen["left"] + 1, (path, width, "the rooms are whole too")
            assert min(seen["width"], seen["height"]) >= 44, (path, width)
        menu = page.get_by_role("banner").locator("summary")
        assert ("Guest" if who == "guest" else "staff") in menu.aria_snapshot()
        menu.click()
        page.get_by_role("banner").locator(".menu .sheet").wait_for()
        box = page.locator(".menu .sheet").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= NARROW[-1]
    if who == "staff":
        assert page.get_by_role("link", name="Workshop").count() == 1


CONTRAST = """() => {
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((value) => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const probe = document.createElement("p");
  document.body.append(probe);
  const of = (property, value) => {
    probe.style[property] = value;
    return light(getComputedStyle(probe)[property]);
  };
  const ratios = {};
  for (const [text, grounds] of Object.entries({
    "--danger": ["--paper", "--paper-raised", "--paper-sunk"], "--ink": ["--paper", "--paper-raised", "--paper-sunk"],
    "--ink-soft": ["--paper", "--paper-raised", "--paper-sunk"], "--on-madder": ["--madder", "--madder-deep"],
  })) {
    for (const ground of grounds) {
      const [one, other] = [of("color", `var(${text})`), of("backgroundColor", `var(${ground})`)];
      ratios[`${text} on ${ground}`] = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    }
  }
  return ratios;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_every_ground(new_page, shop, scheme):
    page = new_page(color_scheme=scheme)
    page.goto(f"{shop}/account/")
    ratios = page.evaluate(CONTRAST)
    assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dangerous_things_are_written_in_the_colour_for_them(new_page, shop, person, make_pattern, scheme):
    fabric = make_pattern(person)
    page = new_page(color_scheme=scheme)
    sign_in(page, shop, person)
    page.goto(f"{shop}/gallery/{fabric.pk}/")
    danger = page.evaluate("getComputedStyle(document.querySelector('.button.danger')).color")
    probe = "(p => { p.style.color = 'var(--danger)'; document.body.append(p); return getComputedStyle(p).color; })"
    assert danger == page.evaluate(f"{probe}(document.createElement('p'))")


MISNAMED = """() => {
  const bad = [];
  const heard = (text) => text.toLowerCase().replace(/[^\\p{L}\\p{N}?]+/gu, " ").trim();
  const seen = (one) => {
    if (one.nodeType === Node.TEXT_NODE) return one.textContent;
    if (one.nodeType !== Node.ELEMENT_NODE || !one.checkVisibility() || one.matches(".visually-hidden")) return "";
    return [...one.childNodes].map(seen).join(" ");
  };
  for (const one of document.querySelectorAll("a[aria-label], button[aria-label], summary[aria-label]"))
    if (seen(one).trim() && !heard(one.ariaLabel).includes(heard(seen(one)))) bad.push(one.outerHTML.slice(0, 120));
  return bad;
}"""

TWICE = """() => {
  const text = (id) => document.getElementById(id)?.textContent;
  const names = [...document.querySelectorAll("section, nav, aside, form, [role=region], [role=navigation]")]
    .filter((one) => one.checkVisibility())
    .map((one) => [one.tagName, one.ariaLabel
      ?? one.getAttribute("aria-labelledby")?.split(" ").map(text).join(" ")])
    .filter(([, name]) => name).map(String);
  return names.filter((name, at) => names.indexOf(name) !== at);
}"""


def test_what_is_read_on_a_control_is_what_it_is_called(page, shop):
    for path in ("/", "/restyle/?garment=dress", "/imagine/", "/gallery/"):
        page.goto(shop + path)
        assert page.evaluate(MISNAMED) == [], path


def test_landmarks_of_one_page_have_names_of_their_own(page, shop, person):
    import uuid

    from studio.imagine.models import Imagining

    for _ in range(2):
        Imagining.objects.create(owner=person, batch=uuid.uuid4(), params={"prompt": "a red dress", "seed": 7})
    sign_in(page, shop, person)
    for path in ("/", "/restyle/?garment=dress", "/imagine/"):
        page.goto(shop + path)
        assert page.evaluate(TWICE) == [], path
    assert page.locator(".batch").count() == 2
