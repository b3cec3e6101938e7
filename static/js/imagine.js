// The Imagine page: the sentence is built as one chooses, pictures arrive one by one, and each can be seen large.

import { announce, heeds, say } from "./site.js";
import { fill, gettext } from "./words.js";

/** How many times its own size a picture is shown at most. */
const ENLARGED = 2.5;
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const form = $("#imagine-form");
const prompt = form.elements.prompt;
const built = form.elements.built;
const parts = $$("[data-part]", form);
const batches = $("#batches");

// Words behind the # are for this page only: no server and no log of one ever sees them.
const said = new URLSearchParams(location.hash.slice(1)).get("prompt");
if (said) prompt.value = said;

// ---- the builder: the same sentence as ml_backend/words/builder.py writes

function sentence() {
  const chosen = parts.map((part) => part.selectedOptions[0]);
  if (!chosen.some((option) => option.value)) return "";
  const article = chosen.at(-1);
  const said = chosen.filter((option) => option.value).map((option) => option.dataset.said);
  if (!article.value) said.push("garment");
  const words = said.join(" ");
  const determiner = "plural" in article.dataset ? "" : "AEIO".includes(words[0]) ? "an " : "a ";
  return `an image of ${determiner}${words}`;
}

const evened = () => prompt.value.trim().replace(/\s+/g, " ");
const free = () => evened() !== "" && evened() !== built.value;

function determiner() {
  const [, word] = /^an image of (an?) /.exec(sentence()) ?? [];
  return word ?? "";
}

/** The builder speaks, unless words of one's own stand there: those win. */
function build() {
  if (!free()) write(sentence());
  showParts();
}

function write(words) {
  prompt.value = words;
  built.value = words;
}

function showParts() {
  const colour = $("[name='colour'] option:checked", form)?.dataset.colour;
  const drop = $("[data-drop]");
  if (colour) drop.style.setProperty("--c", colour);
  else drop.removeAttribute("style");
  $("[data-determiner]").textContent = determiner();
  $("[data-clear]").hidden = !sentence();
  $("[data-own]").hidden = !(free() && sentence());
}

form.addEventListener("change", (event) => parts.includes(event.target) && build());
prompt.addEventListener("input", showParts);
$("[data-use]").addEventListener("click", () => {
  write(sentence());
  showParts();
  prompt.focus();
});
$("[data-clear]").addEventListener("click", () => {
  const own = free();
  choose("");
  if (!own) write("");
  showParts();
  parts[0].focus();
});

/** Set the builder's gaps from a query string. */
function choose(outfit) {
  const query = new URLSearchParams(outfit);
  for (const part of parts) part.value = query.get(part.name) ?? "";
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-words][data-outfit]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  choose(link.dataset.outfit);
  prompt.value = link.dataset.words;
  built.value = link.dataset.outfit ? link.dataset.words : "";
  showParts();
  const menu = link.closest("[data-menu]");
  if (menu) menu.open = false;
  prompt.focus();
});

// ---- settings

const drawer = $("#drawer");
const settings = $$("input:not([type='radio']), select", drawer);

function showSettings() {
  const heeded = settings.filter((one) => !one.disabled);
  const set = heeded.filter((one) => (one.type === "range" ? Number(one.value) : one.value)).map((one) => {
    if (one.type === "range") return `${one.name.replace("lora-", "")} ${one.value}`;
    const value = one.name === "negative_prompt" ? "" : ` ${one.selectedOptions?.[0].text ?? one.value}`;
    return one.labels[0].firstChild.textContent.trim().replace(", px", "") + value;
  });
  $("[data-set]").textContent = set.join(" · ");
  for (const out of $$("[data-out]", drawer)) out.textContent = document.getElementById(out.htmlFor).value;
}

drawer.addEventListener("input", showSettings);
$("[data-usual]").addEventListener("click", () => {
  for (const one of settings) one.value = one.type === "range" ? "0" : "";
  showSettings();
});

// ---- the engine, and the settings that it heeds

const engine = () => form.elements.engine.value;

function showEngine() {
  for (const help of $$("[data-engine-help]", form)) help.hidden = help.dataset.engineHelp !== engine();
  for (const one of $$("[data-diffusion]", drawer)) {
    one.disabled = !heeds(form.elements.engine, one);
    one.closest(".field").hidden = one.disabled;
  }
  showSettings();
}

/** The choice stands in the address: it survives a refresh. */
function onEngine() {
  const query = new URLSearchParams(location.search);
  query.set("engine", engine());
  history.replaceState(history.state, "", `?${query}`);
  showEngine();
}

for (const radio of form.elements.engine) radio.addEventListener("change", onEngine);

// ---- asking

prompt.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  form.requestSubmit($("#imagine"));
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt !== form || !event.detail.successful) return;
  $("[data-empty]").hidden = true;
  announce(gettext("Your pictures are waiting their turn"));
  rememberWords(evened());
  batches.firstElementChild?.scrollIntoView({ block: "nearest" });
});

/** The words used before, newest first, without asking the server again. */
function rememberWords(words) {
  const list = $("#said-list");
  const link = Object.assign(document.createElement("a"), { href: `?engine=${engine()}#prompt=${encodeURIComponent(words)}`, textContent: words });
  link.dataset.words = words;
  link.dataset.outfit = built.value === words ? new URLSearchParams(parts.map((part) => [part.name, part.value])).toString() : "";
  for (const old of $$("a", list)) if (old.dataset.words === words) old.remove();
  list.prepend(link);
  $("#said").hidden = false;
}

// ---- previews of the pictures that are being made

/** A preview shows the pictures of one pass side by side: each place shows its own. */
function cut(preview) {
  const across = Math.max(1, Math.round(preview.naturalWidth / preview.naturalHeight) || 1);
  const at = $$("[data-preview]", preview.closest(".batch-wall")).indexOf(preview);
  preview.style.objectPosition = across > 1 ? `${(100 * Math.min(at, across - 1)) / (across - 1)}% 50%` : "";
  preview.style.visibility = at < across ? "" : "hidden";
}

const cutAll = () => $$("[data-preview]", batches).forEach(cut);
batches.addEventListener("load", cutAll, true);
batches.addEventListener("htmx:afterSwap", cutAll);
cutAll();

// ---- deleting a batch: asked once, on the spot

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-delete]");
  if (!link || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  const dialog = $("#delete-batch");
  $("form", dialog).action = link.href;
  $("[data-which]", dialog).textContent = link.closest(".batch").dataset.words;
  dialog.showModal();
});

// ---- one picture, large

const full = $("#full");
let shown = null;
const links = () => $$(".picture a[data-full]");

function show(link) {
  shown = link;
  const { full: file, seed, wear, restyle, remix, publish } = link.dataset;
  const image = $("[data-image]", full);
  const small = $("img", link);
  image.src = file;
  image.alt = small.alt;
  $("[data-words]", full).textContent = link.closest(".batch").dataset.words;
  const all = links();
  $("[data-number]", full).textContent = fill(gettext("{number} of {count}"), { number: all.indexOf(link) + 1, count: all.length });
  $("[data-seed]", full).textContent = fill(gettext("seed {number}"), { number: seed });
  $("[data-download]", full).href = `${file}?download`;
  $("[data-restyle]", full).href = restyle;
  $("[data-remix]", full).href = remix;
  $("[data-page]", full).href = link.href;
  $("[data-wear]", full).action = wear;
  const publishing = $("[data-publish]", full);
  publishing.action = publish;
  publishing.hidden = "public" in link.dataset;
  for (const button of $$("[data-turn]", full)) button.hidden = all.length < 2;
  if (!full.open) full.showModal();
}

function turn(step) {
  const all = links();
  const at = all.indexOf(shown);
  if (all.length) show(all[(at + step + all.length) % all.length]);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-full]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  show(link);
});
$$("[data-turn]", full).forEach((button) => button.addEventListener("click", () => turn(Number(button.dataset.turn))));
full.addEventListener("keydown", (event) => {
  if (event.key === "ArrowRight") turn(1);
  else if (event.key === "ArrowLeft") turn(-1);
  else if (event.key.toLowerCase() === "d") $("[data-download]", full).click();
  else return;
  event.preventDefault();
});
full.addEventListener("close", () => {
  document.getElementById(shown?.id)?.focus();
  $("[data-image]", full).removeAttribute("src");
});
$("[data-image]", full).addEventListener("load", ({ target }) => (target.style.maxHeight = `min(100%, ${ENLARGED * target.naturalHeight}px)`));
$("[data-image]", full).addEventListener("error", (event) => {
  if (event.target.getAttribute("src")) say(gettext("This picture is no longer here."));
});

// ---- keyboard

const typing = (target) => target.closest("input, textarea, select, dialog[open], [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey || typing(event.target)) return;
  const key = event.key.toLowerCase();
  if (key === "g") form.requestSubmit($("#imagine"));
  else if (key === "w") prompt.focus();
  else if (key === "?") $("#keys").showModal();
  else return;
  event.preventDefault();
});

// ---- begin

showParts();
showEngine();
