"""From the studio to a print file: the page says what will come out, the file arrives under its name."""

from __future__ import annotations

from studio.printing.models import Print

from .test_journey import WAIT, open_studio


def test_a_fabric_becomes_a_file_of_true_size(page, shop, complaints, work_off):
    open_studio(page, shop)
    page.click("#downloads summary")
    page.click("[data-print-link]")
    page.wait_for_selector(".plan-words:has-text('One repeat')", timeout=WAIT)
    page.fill("#id_size", "2")
    page.select_option("#id_dpi", "150")
    page.wait_for_selector(".plan-words:has-text('118 × 118 pixels')", timeout=WAIT)
    page.locator(".chip:has-text('a panel')").click()
    page.fill("#id_width", "5")
    page.fill("#id_height", "3")
    page.wait_for_selector(".plan-words:has-text('295 × 177 pixels')", timeout=WAIT)
    page.fill("#id_width", "400")
    page.fill("#id_height", "400")
    page.wait_for_selector("#plan .error:has-text('million')", timeout=WAIT)
    page.fill("#id_width", "5")
    page.fill("#id_height", "3")
    page.wait_for_selector(".plan-words:has-text('295 × 177 pixels')", timeout=WAIT)
    page.get_by_role("button", name="Make the file").click()
    page.wait_for_selector("#made:has-text('waiting')", timeout=WAIT)
    work_off()
    link = page.locator("#made").get_by_role("link", name="Download")
    link.wait_for(timeout=WAIT)
    with page.expect_download(timeout=WAIT) as download:
        link.click()
    made = Print.objects.get()
    assert download.value.suggested_filename == f"{made.title}.tif"
    assert made.title.endswith("2cm-panel-5x3cm-150dpi")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#made").get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    page.wait_for_selector("text=Nothing yet", timeout=WAIT)
