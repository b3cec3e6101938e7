"""Without a network."""

from __future__ import annotations

import pytest

KEPT = """async () => {
    const [name] = await caches.keys();
    return (await (await caches.open(name)).keys()).map((one) => new URL(one.url).pathname);
}"""

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_house_says_that_the_network_is_away_and_comes_back(new_page, live_server):
    page = new_page(service_workers="allow", color_scheme="dark")
    page.goto(f"{live_server.url}/style/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.goto(f"{live_server.url}/gallery/")
    assert page.locator("h1").inner_text() == "The network is away"
    assert page.locator("main img").evaluate("(image) => image.naturalWidth") > 0
    assert (
        page.locator("body").evaluate("(body) => getComputedStyle(body.parentElement).backgroundColor")
        == "rgb(23, 22, 21)"
    )
    page.context.set_offline(False)
    page.get_by_role("link", name="Try again").click()
    page.wait_for_url(f"{live_server.url}/gallery/")
    assert page.locator("h1").inner_text() != "The network is away"
    kept = page.evaluate(KEPT)
    assert kept[0] == "/offline/"
    assert all(path == "/offline/" or path.startswith("/static/") for path in kept), "nothing of a person's"
