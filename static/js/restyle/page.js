// The Restyle page: what lies on the table, the mask and its tools, the words, and the asking.

import { announce, say } from "../site.js";
import { bitmap } from "../stage/images.js";
import { Editor } from "./editor.js";
import { Full } from "./full.js";
import { Grid } from "./grid.js";
import { drop, keep, kept } from "./kept.js";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const KINDS = ["photo", "look", "restyle", "imagining", "garment"];
const REMEMBER = 600;

const start = JSON.parse($("#state").textContent);
const form = $("#restyle-form");
const words = $(".words");
const region = $("#region");
const prompt = $("#prompt");
const askButton = $("#ask");
const table = $("[data-table]");
const room = $("[data-room]");
const editor = new Editor(table);
const grid = new Grid($("[data-variations]"));
const full = new Full($("#full"), grid.root, askToDelete);

// ---- the picture and the mask that the address names

let source = start.source;
const known = new WeakMap();
let bare = "";

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
}

/** The mask that the address names, as the one to begin with. */
async function begin(mask) {
  try {
    editor.lay(await bitmap(mask.url));
  } catch {
    say("The mask could not be fetched. Check the connection; nothing of yours is lost.");
    return;
  }
  bare = mask.id;
  onMask();
}

/** Put a mask of the server's on the table as one step. */
async function join(url, how, id) {
  try {
    editor.join(await bitmap(url), how);
  } catch {
    say("The mask could not be fetched. Check the connection; nothing of yours is lost.");
    return;
  }
  if (how === "replace" && id) known.set(editor.history.top, id);
  onMask();
}

// ---- the tools

const sizer = $("#brush-size");
const softer = $("#brush-soft");

function chooseTool(name) {
  editor.setBrush({ erase: name === "erase" });
  for (const button of $$("[data-tool]", $(".tools"))) button.setAttribute("aria-pressed", String(button.dataset.tool === name));
}

function resize(to) {
  sizer.value = to;
  editor.setBrush({ size: Number(sizer.value) });
}

sizer.addEventListener("input", () => resize(sizer.value));
softer.addEventListener("input", () => editor.setBrush({ softness: Number(softer.value) }));
$(".tools").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.tool) chooseTool(button.dataset.tool);
  if (button.dataset.do) act(button.dataset.do);
  const menu = button.closest("details");
  if (menu) menu.open = false;
});

const SAID = {
  undo: "Undone", redo: "Done again", grow: "The mask has grown", shrink: "The mask has shrunk",
  feather: "The edge is softer", invert: "Inverted", clear: "Cleared",
};

function act(what) {
  if (what === "import") $("#mask-file").click();
  else if (!editor.ready) return;
  else if (what === "export") save();
  else if (what === "cloth") join(source.cloth, "add");
  else {
    editor[what]();
    announce(SAID[what]);
  }
}

async function save() {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await editor.png()), download: "toile-mask.png" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

$("#mask-file").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file || !editor.ready) return;
  try {
    editor.join(await createImageBitmap(file, { premultiplyAlpha: "none", colorSpaceConversion: "none" }));
  } catch {
    say("This file is not a picture that can be a mask. The mask is as it was.");
  }
});

function onMask() {
  const { empty, history } = editor;
  for (const name of ["grow", "shrink", "feather", "clear", "export"]) $(`[data-do='${name}']`).disabled = empty;
  $("[data-do='undo']").disabled = !history.canUndo;
  $("[data-do='redo']").disabled = !history.canRedo;
  $("[data-joins]").hidden = empty;
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

// ---- the view

table.addEventListener("click", (event) => {
  const way = event.target.closest("[data-zoom]")?.dataset.zoom;
  if (way) zoom(way);
});

function zoom(way) {
  if (way === "fit") editor.view.whole();
  else editor.view.zoom(way === "in" ? 1.5 : 1 / 1.5);
}

editor.addEventListener("view", ({ detail }) => ($("[data-zoom-word]").textContent = `${Math.round(detail * 100)} %`));

const peek = $("[data-peek]");
function compare(on) {
  editor.compare(on);
  peek.setAttribute("aria-pressed", String(on));
}
peek.addEventListener("pointerdown", () => compare(true));
for (const end of ["pointerup", "pointercancel", "pointerleave", "blur"]) peek.addEventListener(end, () => compare(false));

// ---- the words

const phrases = (text) => text.split(/\s*[,;]\s*|\s+and\s+/).map((one) => one.trim().toLowerCase()).filter(Boolean);

function onRegion() {
  const said = phrases(region.value);
  for (const chip of $$("[data-phrase]")) chip.setAttribute("aria-pressed", String(said.includes(chip.dataset.phrase)));
}

region.addEventListener("input", onRegion);
$(".chips", words).addEventListener("click", (event) => {
  const chip = event.target.closest("[data-phrase]");
  if (!chip) return;
  event.preventDefault();
  const said = phrases(region.value);
  const word = chip.dataset.phrase;
  region.value = (said.includes(word) ? said.filter((one) => one !== word) : [...said, word]).join(", ");
  onRegion();
  if (region.value) $("#find").click();
});

words.addEventListener("click", (event) => {
  const link = event.target.closest("[data-prompt]");
  if (!link) return;
  event.preventDefault();
  prompt.value = link.dataset.prompt;
  prompt.dispatchEvent(new Event("input", { bubbles: true }));
  announce(`Words: ${prompt.value}`);
});

prompt.addEventListener("input", () => {
  for (const preset of $$(".preset")) preset.setAttribute("aria-pressed", String(preset.dataset.prompt === prompt.value.trim()));
});
prompt.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  askButton.click();
});

// A link that acts as a button answers to the space bar too.
document.addEventListener("keydown", (event) => {
  if (event.key !== " " || !event.target.matches("a[role='button']")) return;
  event.preventDefault();
  event.target.click();
});

function onEngine() {
  const engine = form.elements.engine.value;
  for (const help of $$("[data-engine-help]")) help.hidden = help.dataset.engineHelp !== engine;
  for (const field of $$("[data-diffusion]")) field.disabled = engine !== "diffusion";
}
for (const radio of form.elements.engine) radio.addEventListener("change", onEngine);

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
  for (const name of ["region", "prompt", "negative_prompt", "steps", "guidance", "size", "strength", "scheduler", "seed"]) {
    const field = form.elements[name];
    if (field.value && !field.disabled) query.set(name, field.value);
  }
  query.set("engine", form.elements.engine.value);
  query.set("count", form.elements.count.value);
  history.replaceState(history.state, "", `${location.pathname}?${query}`);
  for (const field of $$("[name='next']")) field.value = location.pathname + location.search;
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
  if (detail.elt.id === "find") announce("Looking for it");
});

document.addEventListener("htmx:afterSettle", () => {
  const status = $("#mask-status[data-fresh][data-mask]");
  if (status) {
    status.removeAttribute("data-fresh");
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
  if (!prompt.value.trim()) return asking(prompt, "Say what it should become, for instance: a red plaid skirt.");
  if (editor.empty && !region.value.trim()) return asking(region, "Mark what to change first: say it in words, or paint over it with the brush.");
  if (editor.empty || maskId()) return true;
  askButton.disabled = true;
  try {
    return await upload();
  } finally {
    askButton.disabled = false;
  }
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
    say(navigator.onLine ? "The studio does not answer. Your mask is safe here; try again in a moment." : "You are offline. Your mask is safe here.");
    return false;
  }
  if (!answer.ok) {
    const plain = (answer.headers.get("Content-Type") ?? "").startsWith("text/plain");
    say(plain ? await answer.text() : "The mask did not go through. It is safe here; please try again.");
    return false;
  }
  const status = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#mask-status");
  if (top) known.set(top, status.dataset.mask);
  else bare = status.dataset.mask; // what was kept in this tab, laid as it was
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
  adopt($(".batch").dataset.photo);
  room.classList.add("made");
  $("#tab-made").checked = true;
  grid.root.closest("section").scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  announce("Asked for; they will appear one by one");
  address();
}

// A cancelled or retried job shows at once; a button that was disabled meanwhile gets the focus back.
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.elt.closest) return;
  if (detail.elt === form && document.activeElement === document.body) askButton.focus({ preventScroll: true });
  if (detail.elt.closest("[data-variations], #full")) grid.follow();
  const status = detail.elt.closest("#mask-status");
  const at = status?.dataset.at;
  if (at && detail.elt !== status) window.htmx.ajax("GET", at, { target: status, swap: "outerHTML" });
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
  announce(`Seed ${seed} is kept; change the words and press Restyle`);
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
    say(wasPublic ? "Only you can see this picture now." : "Everybody can see this picture in the gallery now.");
    $("#full").close();
    grid.follow();
  } catch {
    say("That did not go through. Nothing of yours is lost; please try again.");
  }
});

// ---- another picture: the words go along

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-source], [data-use]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const target = new URL(link.href);
  for (const name of ["region", "prompt"]) if (form.elements[name].value) target.searchParams.set(name, form.elements[name].value);
  target.searchParams.set("engine", form.elements.engine.value);
  target.searchParams.set("count", form.elements.count.value);
  link.href = target;
});

const uploadForm = $("#upload-form");
$("#photo-file").addEventListener("change", (event) => {
  if (!event.target.files.length) return;
  address();
  uploadForm.classList.add("busy");
  announce("Sending your photo");
  uploadForm.requestSubmit();
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt !== uploadForm) return;
  uploadForm.classList.toggle("busy", detail.successful);
  $("#photo-file").value = "";
});

for (const kind of ["dragenter", "dragover"]) {
  table.addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    table.classList.add("dropping");
  });
}
table.addEventListener("dragleave", (event) => !table.contains(event.relatedTarget) && table.classList.remove("dropping"));
table.addEventListener("drop", (event) => {
  event.preventDefault();
  table.classList.remove("dropping");
  if (!event.dataTransfer.files.length) return;
  $("#photo-file").files = event.dataTransfer.files;
  $("#photo-file").dispatchEvent(new Event("change"));
});

// ---- the keyboard

const typing = (element) => element.matches("input:not([type='range'], [type='radio'], [type='checkbox']), textarea, select");
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]") || event.altKey) return;
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key === "Enter") askButton.click();
  else if (typing(event.target)) return;
  else if (command && event.key.toLowerCase() === "z") act(event.shiftKey ? "redo" : "undo");
  else if (command && event.key.toLowerCase() === "y") act("redo");
  else if (command || !plainKey(event)) return;
  event.preventDefault();
});

/** Whether a key without Ctrl meant something here. */
function plainKey(event) {
  const onTable = event.target === editor.frame;
  const key = event.key.toLowerCase();
  if (key === "b") chooseTool("brush");
  else if (key === "e") chooseTool("erase");
  else if (key === "[") resize(Math.round(Number(sizer.value) / 1.25));
  else if (key === "]") resize(Math.max(Number(sizer.value) + 1, Math.round(Number(sizer.value) * 1.25)));
  else if (key === "i") act("invert");
  else if (key === "?") $("#keys").showModal();
  else if (key === " " && !event.target.matches("button, a, summary, input")) compare(true);
  else if (key === "+" || key === "=") zoom("in");
  else if (key === "-") zoom("out");
  else if (key === "0") zoom("fit");
  else if (onTable && ARROWS[event.key]) editor.aimBy(...ARROWS[event.key], event.shiftKey);
  else if (onTable && key === "enter") editor.dab();
  else return false;
  return true;
}

document.addEventListener("keyup", (event) => event.key === " " && compare(false));
window.addEventListener("blur", () => compare(false));

onRegion();
onEngine();
prompt.dispatchEvent(new Event("input"));
lay();
