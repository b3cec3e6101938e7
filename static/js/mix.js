// Two fabrics into one: which second fabrics are good for which move, and the drawer kept true to the fabric on the stage.

import { fill, gettext } from "./words.js";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const drawer = $("#mix");
const table = $("#mix-table");
const form = $("#mix-form");

const shown = () => $("[name='of']", table)?.value ?? "";

let current = shown();
let stale = false;

/** The drawer for another fabric: fetched at once when it is open, else when it is opened. */
export function mixWith(id) {
  if (id === current) return;
  current = id;
  freshen();
}

/** There are new fabrics that may be the second one. */
export function mixAnew() {
  if (current) freshen();
}

function freshen() {
  stale = true;
  if (drawer.open) fetchTable();
}

/** Open the drawer and go to what is chosen in it. */
export function openMix() {
  drawer.open = true;
  drawer.scrollIntoView({ block: "nearest" });
  $("input[name='move']:checked", table)?.focus();
}

async function fetchTable() {
  if (!stale) return;
  stale = false;
  const asked = new URLSearchParams(location.search).get("with");
  const query = new URLSearchParams(asked ? { of: current, with: asked } : { of: current });
  await window.htmx.ajax("GET", `${table.dataset.drawer}?${query}`, { source: table, target: table, swap: "innerHTML" });
}

/** What was set by hand stays when the drawer is fetched anew for the same fabric. */
let kept = null;

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target === table) kept = new FormData(form);
});

function putBack() {
  if (!kept || kept.get("of") !== shown()) return;
  for (const name of ["move", "with"]) {
    const value = kept.get(name);
    const radio = $$(`input[name='${name}']`, table).find((one) => one.value === value && !one.disabled);
    if (radio && (value || kept.get("seed"))) radio.checked = true;
  }
  for (const name of ["seed", "other_type", "amount"]) {
    if (kept.get(name)) form.elements[name].value = kept.get(name);
  }
}

drawer.addEventListener("toggle", () => drawer.open && fetchTable());

function arrange() {
  const move = $("input[name='move']:checked", table)?.value;
  if (!move) return;
  const others = $$("input[name='with']", table);
  for (const other of others) {
    other.disabled = !other.dataset.moves.split(" ").includes(move);
    if (other.disabled) other.checked = false;
  }
  const able = others.filter((other) => !other.disabled);
  const chosen = able.find((other) => other.checked) ?? able[0];
  if (chosen) chosen.checked = true;
  $("[data-faded]", table).hidden = able.length === others.length;
  $("[data-other-name]", table).textContent = chosen?.dataset.name ?? "";
  const picture = $("[data-other-picture]", table);
  const source = chosen?.parentElement.querySelector("img");
  picture.hidden = !source;
  if (source) Object.assign(picture, { src: source.src, alt: `To ${source.alt}` });
  sayAmount();
}

function sayAmount() {
  const slider = $("#mix-amount", table);
  const words = `${Math.round(slider.value * 100)} %`;
  $("[data-out-amount]", table).textContent = words;
  slider.setAttribute("aria-valuetext", fill(gettext("{share} of the other fabric"), { share: words }));
}

form.addEventListener("change", arrange);
form.addEventListener("input", (event) => event.target.id === "mix-amount" && sayAmount());
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target !== table) return;
  putBack();
  arrange();
});
document.addEventListener("htmx:afterSettle", (event) => {
  // What was asked for is being made in the tray: bring it into sight.
  if (event.detail.requestConfig?.elt === form) $("#tray .cell").scrollIntoView({ block: "nearest" });
});
arrange();
