// New fabrics: keeping and discarding the one on the stage, and places held for those that are on their way.

import { fill, gettext } from "./words.js";

const shelf = document.getElementById("shelf");
const tray = document.getElementById("tray");
const [keep, discard] = ["#shelf-keep", "#shelf-discard"].map((one) => shelf.querySelector(one));
const says = shelf.querySelector("[data-shelf-says]");

const cellOf = (id) => tray.querySelector(`[data-pattern="${id}"]`);

/** Say of the fabric `id`, which is on the stage, until when it stays. */
export function shelve(id) {
  const until = id && cellOf(id)?.dataset.fresh;
  for (const button of [keep, discard]) {
    button.value = id ?? "";
    button.disabled = !until;
  }
  says.textContent = until ? fill(gettext("New: goes on {day} unless kept"), { day: until }) : gettext("Newest first");
}

/** `next(cell)` is called when the fabric on the stage was discarded, with the cell that comes after it, if any. */
export function onDiscard(next) {
  let after = null;
  discard.addEventListener("htmx:beforeRequest", () => {
    const cell = cellOf(discard.value);
    const ready = [...tray.querySelectorAll(".cell[data-pattern]")].filter((one) => one !== cell);
    const later = ready.find((one) => cell?.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
    after = later ?? ready.at(-1) ?? null;
  });
  discard.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.successful) next(after);
    keep.focus({ preventScroll: true });
  });
}

const FEW = 4;

/** Hold the places of the fabrics that `form` asks for while the server has not answered. */
export function holdPlaces(form) {
  const drop = () => tray.querySelectorAll(".skeleton").forEach((one) => one.remove());
  form.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (detail.elt !== form) return;
    const place = () => Object.assign(document.createElement("div"), { className: "cell skeleton", ariaHidden: "true" });
    tray.prepend(...Array.from({ length: FEW }, place));
    tray.scrollTo({ top: 0, left: 0 });
  });
  form.addEventListener("htmx:beforeSwap", drop);
  form.addEventListener("htmx:afterRequest", drop);
}
