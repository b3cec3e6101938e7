// The Restyle page: what lies on the table, the mask and its tools, the words, and the asking.

import { lookAround } from "../follow.js";
import { announce, say } from "../site.js";
import { bitmap } from "../stage/images.js";
import { Editor } from "./editor.js";
import { Full } from "./full.js";
import { Grid } from "./grid.js";
import { drop, keep, kept } from "./kept.js";
import { listenToKeys } from "./keys.js";
import { listenForPhotos } from "./photo.js";
import { Tools } from "./tools.js";
import { listenToWords } from "./words.js";
import { fill, gettext } from "../words.js";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const KINDS = ["photo", "look", "restyle", "imagining", "garment"];
/** What people type stands behind the # of the address: it survives a refresh, and no server's log ever sees it. */
const WORDS = ["region", "prompt", "negative_prompt"];
const REMEMBER = 600;

const start = JSON.parse($("#state").textContent);
const form = $("#restyle-form");
const words = $(".words");
const region = $("#region");
const prompt = $("#prompt");
const sketch = $("#sketch");
const askButton = $("#ask");
const table = $("[data-table]");
const room = $("[data-room]");
const editor = new Editor(table);
const grid = new Grid($("[data-variations]"));
const full = new Full($("#full"), grid.root, askToDelete);
const tools = new Tools(editor, table, () => source.cloth);

// ---- the picture and the mask that the address names

let source = start.source;
const known = new WeakMap();
let bare = "";
let laidCloth = false;
// What the page itself says of a default garment: no word for a photo that takes its place.
const ownWord = source?.kind === "garment" ? region.value : "";
for (const [name, text] of new URLSearchParams(location.hash.slice(1))) if (WORDS.includes(name)) form.elements[name].value = text;
let foundFor = start.mask ? region.value.trim() : "";

const sourceName = () => (source ? `${source.kind}-${source.id}` : "");

/** The server's mask that is the same as the one on the table; empty when it was painted since. */
const maskId = () => (editor.history?.top ? known.get(editor.history.top) ?? "" : bare);

async function lay() {
  if (!source) return;
  try {
    await editor.open(source.image, source.alt, source.width, source.height);
  } catch {
    table.dataset.state = "lost";
    $("[data-lost]").hidden = false;
    return;
  }
  const painted = await kept(sourceName());
  if (painted) editor.lay(painted);
  else if (start.mask) await begin(start.mask);
  else if (source.known) laidCloth = await begin({ id: "", url: source.cloth });
}

/** The mask that the address names, or the known cloth of a garment, as the one to begin with; whether it is there. */
async function begin(mask) {
  try {
    editor.lay(await bitmap(mask.url));
  } catch {
    say(gettext("The mask could not be fetched. Check the connection; nothing of yours is lost."));
    return false;
  }
  bare = mask.id;
  onMask();
  return true;
}

/** Whether the cloth that a garment began with lies there as it was: the server has it, and knows words for it. */
const untouched = () => laidCloth && !editor.history.top;

/** Put a mask of the server's on the table as one step. */
async function join(url, how, id) {
  try {
    editor.join(await bitmap(url), how);
  } catch {
    say(gettext("The mask could not be fetched. Check the connection; nothing of yours is lost."));
    return;
  }
  if (how === "replace" && id) known.set(editor.history.top, id);
  onMask();
}

// ---- what was painted

function onMask() {
  form.elements.mask.value = maskId();
}

let remembering = 0;
editor.addEventListener("change", onMask);
editor.addEventListener("settle", () => {
  clearTimeout(remembering);
  remembering = setTimeout(remember, REMEMBER);
});

/** What was painted is kept in this tab; a mask of the server's stands in the address. */
async function remember() {
  if (editor.empty || maskId()) drop(sourceName());
  else keep(sourceName(), await editor.png());
  address();
}

// ---- the address says what is on the page

let timer = 0;
words.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(address, 400);
});

function address() {
  const query = new URLSearchParams();
  if (source) query.set(source.kind, source.id);
  const batch = grid.batch?.dataset.batch;
  if (batch) query.set("batch", batch);
  if (maskId()) query.set("mask", maskId());
  const said = new URLSearchParams();
  for (const name of [...WORDS, "steps", "guidance", "size", "strength", "scheduler", "seed"]) {
    const field = form.elements[name];
    const itsOwn = name === "region" && source?.kind === "garment" && field.value === ownWord;
    if (field.value && !field.disabled && !itsOwn) (WORDS.includes(name) ? said : query).set(name, field.value);
  }
  const begun = sketch.checked ? "fabric" : "none";
  if (!sketch.disabled && begun !== sketch.dataset.usual) query.set("sketch", begun);
  query.set("engine", form.elements.engine.value);
  query.set("count", form.elements.count.value);
  history.replaceState(history.state, "", `${location.pathname}?${query}${said.size ? `#${said}` : ""}`);
  for (const field of $$("[name='next']")) field.value = location.pathname + location.search + location.hash;
}

/** The picture became a photo of one's own on the server: go on with that one, painted mask and all. */
function adopt(photo) {
  if (!photo || (source?.kind === "photo" && source.id === photo)) return;
  drop(sourceName());
  source = { ...source, kind: "photo", id: photo };
  for (const kind of KINDS) form.elements[kind].value = kind === "photo" ? photo : "";
}

// ---- words -> mask

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.elt.id === "find") announce(gettext("Looking for it"));
});

document.addEventListener("htmx:afterSettle", () => {
  const status = $("#mask-status[data-fresh][data-mask]");
  if (status) {
    status.removeAttribute("data-fresh");
    foundFor = region.value.trim();
    adopt(status.dataset.photo);
    const how = $("[name='join']:checked").value;
    join(status.dataset.url, editor.empty ? "replace" : how, status.dataset.mask);
    announce(status.textContent.trim());
  }
  onGrid();
});

// ---- asking

document.addEventListener("htmx:confirm", (event) => {
  if (event.detail.elt !== form || !editor.ready) return;
  event.preventDefault();
  ready().then((go) => go && event.detail.issueRequest(true));
});

/** A painted mask goes to the server first; with nothing marked the words are looked for there. */
async function ready() {
  clearTimeout(remembering);
  form.elements.mask.value = maskId();
  if (askButton.disabled) return false;
  if (!prompt.value.trim()) return asking(prompt, gettext("Say what it should become, for instance: a red plaid skirt."));
  if (editor.empty && !region.value.trim()) return asking(region, gettext("Mark what to change first: say it in words, or paint over it with the brush."));
  if (editor.empty || untouched() || outdated()) {
    form.elements.mask.value = "";
    return true;
  }
  if (maskId()) return true;
  askButton.disabled = true;
  try {
    return await upload();
  } finally {
    askButton.disabled = false;
  }
}

/** Whether other words were typed since the mask was found, and nobody has touched it: then those are looked for. */
function outdated() {
  const said = region.value.trim();
  return Boolean(maskId() && foundFor && said && said !== foundFor);
}

function asking(field, sentence) {
  const tab = { region: "tab-mask", prompt: "tab-style" }[field.id];
  $(`#${tab}`).checked = true;
  field.focus();
  say(sentence);
  return false;
}

async function upload() {
  const body = new FormData();
  body.set("file", await editor.png(), "mask.png");
  for (const kind of KINDS) body.set(kind, form.elements[kind].value);
  const token = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? form.elements.csrfmiddlewaretoken.value;
  const top = editor.history.top;
  let answer;
  try {
    answer = await fetch(form.dataset.maskUpload, { method: "POST", body, headers: { "HX-Request": "true", "X-CSRFToken": token } });
  } catch {
    say(navigator.onLine ? gettext("The studio does not answer. Your mask is safe here; try again in a moment.") : gettext("You are offline. Your mask is safe here."));
    return false;
  }
  if (!answer.ok) {
    const plain = (answer.headers.get("Content-Type") ?? "").startsWith("text/plain");
    say(plain ? await answer.text() : gettext("The mask did not go through. It is safe here; please try again."));
    return false;
  }
  const status = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#mask-status");
  if (top) known.set(top, status.dataset.mask);
  else bare = status.dataset.mask; // what was kept in this tab, laid as it was
  foundFor = "";
  drop(sourceName());
  adopt(status.dataset.photo);
  form.elements.mask.value = status.dataset.mask;
  return true;
}

let shownBatch = grid.batch?.dataset.batch;
function onGrid() {
  const batch = grid.batch?.dataset.batch;
  if (!batch || batch === shownBatch) return;
  shownBatch = batch;
  adopt(grid.batch.dataset.photo);
  room.classList.add("made");
  $("#tab-made").checked = true;
  grid.root.closest("section").scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  announce(gettext("Asked for; they will appear one by one"));
  address();
}

// A button that was disabled meanwhile gets the focus back.
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt === form && document.activeElement === document.body) askButton.focus({ preventScroll: true });
});

// ---- variations

grid.root.addEventListener("click", (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  const shown = event.target.closest(".shown[data-full]");
  const again = event.target.closest("[data-again]");
  if (shown) {
    event.preventDefault();
    full.open(shown);
  } else if (again) {
    event.preventDefault();
    withSeed(again.dataset.again, 1);
  } else if (event.target.closest("[data-same-seed]")) {
    withSeed(grid.batch.dataset.seed);
  }
});

full.addEventListener("again", ({ detail }) => withSeed(detail, 1));

/** The same seed, ready for other words. */
function withSeed(seed, count) {
  form.elements.seed.value = seed;
  if (count) form.elements.count.value = String(count);
  $(".advanced").open = true;
  $("#tab-style").checked = true;
  prompt.focus();
  prompt.select();
  announce(fill(gettext("Seed {seed} is kept; change the words and press Restyle"), { seed }));
  address();
}

function askToDelete(url) {
  const dialog = $("#delete");
  $("form", dialog).action = url;
  $("#full").close();
  dialog.showModal();
}

$("#full form[data-publish]").addEventListener("submit", async (event) => {
  event.preventDefault();
  const one = event.target;
  const wasPublic = one.elements.public.disabled;
  try {
    const answer = await fetch(one.action, { method: "POST", body: new FormData(one), headers: { "HX-Request": "true" } });
    if (!answer.ok) throw new Error(String(answer.status));
    say(wasPublic ? gettext("Only you can see this picture now.") : gettext("Everybody can see this picture in the gallery now."));
    $("#full").close();
    lookAround(grid.batch);
  } catch {
    say(gettext("That did not go through. Nothing of yours is lost; please try again."));
  }
});

// ---- another picture: the words go along

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-source], [data-use]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const target = new URL(link.href);
  const names = untouched() ? ["prompt"] : ["region", "prompt"]; // "the dress" is no word for the next garment
  target.hash = new URLSearchParams(names.map((name) => [name, form.elements[name].value]).filter(([, text]) => text));
  target.searchParams.set("engine", form.elements.engine.value);
  target.searchParams.set("count", form.elements.count.value);
  link.href = target;
});

listenToKeys(editor, tools, () => askButton.click());
listenToWords(words, form, { find: () => $("#find").click(), ask: () => askButton.click() });
listenForPhotos(table, address);
lay();
