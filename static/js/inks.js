// The ink table: kept true to the fabric on the stage, and shown on it while colours are chosen.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const drawer = $("details#inks");
const table = $("#inks-table");

let current = table?.dataset.fabric ?? "";
let stale = true;
let show = () => {};

/** What shows a palette on the stage, and with null the fabric as it is. */
export function onInks(action) {
  show = action;
}

/** The table for another fabric: fetched at once when it is open, else when it is opened. */
export function inksWith(id) {
  if (id === current && !stale) return;
  current = id;
  stale = true;
  if (drawer?.open) fetchTable();
}

async function fetchTable() {
  if (!stale || !current) return;
  stale = false;
  await window.htmx.ajax("GET", `${table.dataset.table}?fabric=${current}`, { source: table, target: table, swap: "innerHTML" });
}

// What was only tried is forgotten when the drawer is closed.
drawer?.addEventListener("toggle", () => (drawer.open ? fetchTable() : show(null)));

const palette = () => $$("input[name='ink']", table).map((input) => input.value);

table?.addEventListener("input", (event) => {
  if (event.target.name === "ink") show(palette());
});

// A colourway is shown while one points at it or stands on it, then the inks of the table again.
function point(event) {
  const way = event.target.closest?.("[data-colours]");
  if (way) show(way.dataset.colours.split(","));
}

function leave(event) {
  if (event.target.closest?.("[data-colours]") && !event.relatedTarget?.closest?.("[data-colours]")) show(palette());
}

table?.addEventListener("mouseover", point);
table?.addEventListener("focusin", point);
table?.addEventListener("mouseout", leave);
table?.addEventListener("focusout", leave);

// What the server laid on the table is shown as well.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target === table && event.detail.requestConfig?.elt !== table) show(palette());
});

// A mood picture may be dropped where it can be chosen.
const dropAt = (event) => event.target.closest?.("#mood-drop");

for (const name of ["dragenter", "dragover"]) {
  table?.addEventListener(name, (event) => {
    if (!dropAt(event)) return;
    event.preventDefault();
    dropAt(event).classList.add("dropping");
  });
}
table?.addEventListener("dragleave", (event) => dropAt(event)?.classList.remove("dropping"));
table?.addEventListener("drop", (event) => {
  const label = dropAt(event);
  if (!label) return;
  event.preventDefault();
  event.stopPropagation();
  label.classList.remove("dropping");
  const [file] = event.dataTransfer.files;
  if (!file) return;
  const one = new DataTransfer();
  one.items.add(file);
  const field = $("input", label);
  field.files = one.files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
});
