// Two fabrics into one: which second fabrics are good for which move, and the drawer kept true to the fabric on the stage.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const drawer = $("#mix");
const table = $("#mix-table");
const form = $("#mix-form");

let stale = "";

/** The drawer for another fabric: fetched at once when it is open, else when it is opened. */
export function mixWith(id) {
  if ($("[name='of']", table)?.value === id) return;
  stale = id;
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
  const of = stale;
  stale = "";
  await window.htmx.ajax("GET", `${table.dataset.drawer}?of=${encodeURIComponent(of)}`, { source: table, target: table, swap: "innerHTML" });
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
  slider.setAttribute("aria-valuetext", `${words} of the other fabric`);
}

form.addEventListener("change", arrange);
form.addEventListener("input", (event) => event.target.id === "mix-amount" && sayAmount());
document.addEventListener("htmx:afterSwap", (event) => event.target === table && arrange());
document.addEventListener("htmx:afterSettle", (event) => {
  // What was asked for is being made in the tray: bring it into sight.
  if (event.detail.requestConfig?.elt === form) $("#tray .cell").scrollIntoView({ block: "nearest" });
});
arrange();
