// The workspace: what is chosen, what the stage wears, the address that says so, and the way back.

import { inksWith, onInks } from "./inks.js";
import { mixAnew, mixWith, openMix } from "./mix.js";
import { Moments } from "./moments.js";
import * as outfit from "./outfit.js";
import { RepeatView, rule, saidSize } from "./repeat_view.js";
import { holdPlaces, onDiscard, shelve } from "./shelf.js";
import { announce, say } from "./site.js";
import { Picking } from "./stage/picking.js";
import { Stage, wrapOffset } from "./stage/stage.js";
import { figure, fill, gettext } from "./words.js";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const DEFAULTS = outfit.USUAL;

const start = JSON.parse($("#state").textContent);
const fabricForm = $("#fabric-form");
const mixForm = $("#mix-form");
const lookForm = $("#look-form");
const uploadForm = $("#upload-form");
const tray = $("#tray");
const panel = tray.parentElement;
const pad = $("[data-pad]");
const undoButton = $("[data-undo]");
const stage = new Stage($("#stage"));
const chips = new outfit.Chips($("[data-outfit]"));
const picking = new Picking(stage, $("[data-outlines]"), outfit.plainWords);
const moments = new Moments($("[data-history]"), restore);

let pattern = start.pattern;
let worn = start.worn;
let fit = { ...DEFAULTS, ...start.fit };
let awaited = start.awaited;
let bare = start.bare;
let others = start.others;

// ---- choosing a fabric

function fromCell(cell) {
  const { pattern: id, tile, file, inks, type, subtype, engine, seed, seeds, model, palette, title, page, licence, repeat, mended } = cell.dataset;
  return { id, tile, file, inks: inks ?? "", type, subtype, engine, seed: Number(seed), seeds, model, palette: palette ? palette.split(",") : [], title, page, licence, repeat, mended: mended !== undefined };
}

/** Moments that were kept before there were blends know their seed only. */
const seedsOf = (fabric) => fabric.seeds ?? fill(gettext("seed {number}"), { number: fabric.seed });

async function wear(chosen, { push = true, tile = true } = {}) {
  pattern = chosen;
  bare = false;
  previewing = false;
  markChosen();
  tick(fabricForm.elements.pattern_type, chosen.type);
  showDesigns(chosen.subtype);
  tick(fabricForm.elements.engine, chosen.engine);
  tickPalette(chosen.palette);
  tickModel(chosen.model);
  mixWith(chosen.id);
  inksWith(chosen.id);
  $("#more-like").value = chosen.id;
  $("#more-like").disabled = false;
  $("[data-tile-link]").href = `${chosen.file ?? chosen.tile}?download`;
  $("[data-print-link]").hidden = !chosen.page;
  $("p[data-licence]").textContent = chosen.licence ?? "";
  $("p[data-licence]").hidden = !chosen.licence;
  if (chosen.title) $("[data-caption]").textContent = chosen.title;
  $("[data-caption-small]").textContent = `${gettext(chosen.engine)}, ${seedsOf(chosen)}`;
  const recipe = $("a[data-page]");
  recipe.hidden = !chosen.page;
  recipe.href = chosen.page ?? "";
  onOutfit();
  if (tile) {
    await shown(stage.setTile(chosen.tile));
    layAsMade();
  } else sayRepeat();
  if (push) remember();
}

/** The cell of the fabric that is worn is marked; what news morph into the tray does not know of it. */
function markChosen() {
  for (const cell of $$(".cell", tray)) {
    const mine = !bare && cell.dataset.pattern === pattern?.id;
    cell.classList.toggle("chosen", mine);
    $("a", cell)?.toggleAttribute("aria-current", mine);
  }
  shelve(bare ? null : pattern?.id);
}

function tick(radios, value) {
  for (const radio of radios) radio.checked = radio.value === value;
}

/** Of the designs that have names those of the chosen type, with ``name`` chosen, or any of them. */
function showDesigns(name = "") {
  const type = $("input[name='pattern_type']:checked", fabricForm)?.value;
  const select = fabricForm.elements.subtype;
  for (const group of $$("optgroup", select)) group.hidden = group.disabled = group.dataset.type !== type;
  $("[data-designs]").hidden = !$("optgroup:not([hidden])", select);
  select.value = name;
}

function tickModel(model) {
  const note = $("[data-retired]", fabricForm);
  if (!note) return;
  const serving = note.dataset.serving.split(" ");
  note.hidden = !model || serving.includes(model);
  const select = fabricForm.elements.model;
  if (select && model && serving.includes(model)) select.value = model;
}

function tickPalette(palette) {
  const key = palette.join(",");
  const radios = [...fabricForm.elements.palette];
  const named = radios.find((radio) => radio.value === key || (radio.dataset.fitted ?? "").split(";").includes(key));
  const chosen = named ?? radios.find((radio) => radio.value === "");
  chosen.checked = true;
  $("[data-palette-name]").textContent = chosen.dataset.name;
}

async function shown(promise) {
  try {
    await promise;
  } catch {
    say(gettext("This picture could not be fetched. Check the connection; nothing of yours is lost."));
  }
}

tray.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  awaited = null;
  wear(fromCell(link.closest(".cell")));
});

// An arrow key walks through types and palettes and only shows them; a press, Enter or the space bar makes.
// How fabrics are made, and by which model, counts from the next ones on.
let arrowed = false;
let previewing = false;
const MAKES = ["pattern_type", "palette"];

fabricForm.addEventListener("change", ({ target }) => {
  if (target.name === "subtype") fabricForm.requestSubmit($("#again"));
  if (target.name === "pattern_type") showDesigns();
  if (!MAKES.includes(target.name)) return;
  preview(target);
  if (!arrowed) take(target);
});

function preview(radio) {
  previewing = true;
  if (radio.name === "palette") {
    $("[data-palette-name]").textContent = radio.dataset.name;
    const palette = fittedOf(radio);
    if (palette && pattern.inks) shown(stage.setInks(pattern.inks, palette));
    return;
  }
  shown(stage.setTile(radio.dataset.sample));
  $("[data-caption]").textContent = gettext(radio.value).replace(/^./, (first) => first.toUpperCase());
  $("[data-caption-small]").textContent = arrowed ? gettext("a sample; Enter makes four") : gettext("a sample, while yours are made");
  $("a[data-page]").hidden = true;
}

function take(radio) {
  previewing = false;
  if (radio.name === "palette") recolour(radio);
  else fabricForm.requestSubmit($("#again"));
}

fabricForm.addEventListener("keydown", (event) => {
  pressed = null;
  arrowed = event.key.startsWith("Arrow");
  if (!MAKES.includes(event.target.name) || ![" ", "Enter"].includes(event.key)) return;
  event.preventDefault();
  if (event.repeat) return;
  event.target.checked = true;
  preview(event.target);
  take(event.target);
});
fabricForm.addEventListener("keyup", () => (arrowed = false));

// What was only shown makes room for what is worn when one turns to something else.
fabricForm.addEventListener("focusout", ({ relatedTarget }) => {
  if (!previewing || !pattern || !relatedTarget || fabricForm.contains(relatedTarget)) return;
  previewing = false;
  dress(look(), { push: false });
});

// A press on the type that is chosen already asks for more of it.
let pressed = null;
fabricForm.addEventListener("pointerdown", (event) => {
  arrowed = false;
  pressed = event.target.closest(".type")?.querySelector("input:checked") ?? null;
});
fabricForm.addEventListener("click", (event) => {
  if (event.target.matches("input") && event.target === pressed) fabricForm.requestSubmit($("#again"));
});

/** The colours of a palette for the inks of the fabric that is worn; nothing for the seed's own. */
function fittedOf(radio) {
  const fitted = (radio.dataset.fitted ?? "").split(";").map((text) => text.split(","));
  return pattern && fitted.find((colours) => colours.length === pattern.palette.length);
}

async function recolour(radio) {
  if (!pattern) return;
  const palette = fittedOf(radio);
  const twin = palette && pattern.engine !== "photographed" && $$(".cell[data-pattern]", tray).find((cell) => {
    const { type, seeds, engine, model } = cell.dataset;
    return type === pattern.type && seeds === seedsOf(pattern) && engine === pattern.engine && model === (pattern.model ?? model) && cell.dataset.palette === palette.join(",");
  });
  if (twin) {
    wear(fromCell(twin));
    return;
  }
  awaited = "next";
  await window.htmx.ajax("POST", tray.dataset.recolour, {
    source: panel, target: tray, swap: "afterbegin", values: { of: pattern.id, palette: radio.value },
  });
}

onInks((palette) => {
  if (!pattern?.inks || bare) return;
  shown(palette ? stage.setInks(pattern.inks, palette) : stage.setTile(pattern.tile));
});

// ---- fabrics that are being made come into the tray

const ready = () => $$(".cell[data-pattern]", tray).length;
let made = ready();

function onTray() {
  const seen = new Set();
  for (const cell of $$(".cell[id]", tray)) {
    if (seen.has(cell.id)) cell.remove();
    seen.add(cell.id);
  }
  const cells = $$(".cell:not(.empty, .skeleton)", tray);
  if (cells.length) $(".empty", tray)?.remove();
  if (ready() > made) mixAnew();
  made = ready();
  markChosen();
  if (!awaited) return;
  const cell = awaited === "next" ? cells[0] : cells.find((one) => one.id === `cell-${awaited}`);
  if (!cell) return;
  if (cell.dataset.pattern) {
    awaited = null;
    wear(fromCell(cell));
    return;
  }
  const coming = cell.dataset.follow ?? $(".cell[data-follow]", tray)?.dataset.follow ?? null;
  const isNew = coming && coming !== awaited;
  awaited = coming;
  if (!isNew) return;
  if (waits(history.state)) renew();
  else step();
}

holdPlaces(fabricForm);
onDiscard((cell) => cell && wear(fromCell(cell)));

/** Whether a step of the history shows a fabric that is still to come. */
const waits = (moment) => Boolean(moment?.awaited) && moment.awaited !== "next";

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt === fabricForm || event.detail.elt === mixForm || event.detail.elt.matches("[data-dyes]")) awaited = "next";
});
document.addEventListener("htmx:afterSettle", onTray);
document.addEventListener("htmx:responseError", (event) => {
  if (![fabricForm, mixForm, panel].includes(event.detail.elt) && !event.detail.elt.matches("[data-dyes]")) return;
  awaited = null;
  wanted = null;
  if (pattern) dress(look(), { push: false });
});

showDesigns(fabricForm.elements.subtype.value);
// ---- the repeat that the fabric is made for

// A fabric is made for its repeat.  Another one is asked for, and worn when it is there; until then this one stays as it
// is.  Looks of before may wear a fabric in a repeat that it was not made for, and go on doing so.
const repeatView = new RepeatView($("[data-repeat-view]"));
const repeatSaid = $("[data-repeat-said]");
const repeatOther = $("[data-repeat-other]");
let wanted = null;
let wanting = 0;

const madeFor = () => pattern?.repeat ?? "basic";

function layAsMade() {
  clearTimeout(wanting);
  wanted = null;
  fit = { ...fit, repeat: madeFor() };
  writeFit();
}

function chooseRepeat(repeat) {
  clearTimeout(wanting);
  wanted = awaited = null;
  if (!pattern || bare || repeat === madeFor()) {
    fit = { ...fit, repeat };
    applyFit();
    remember();
    return;
  }
  wanted = repeat;
  sayRepeat();
  wanting = setTimeout(makeRepeat, 400, repeat); // an arrow key walks past the repeats between
}

async function makeRepeat(repeat) {
  const twin = $$(".cell[data-pattern]", tray).find((cell) => {
    const { type, seeds, engine, model, palette } = cell.dataset;
    return cell.dataset.repeat === repeat && type === pattern.type && seeds === seedsOf(pattern) && engine === pattern.engine && model === (pattern.model ?? model) && palette === pattern.palette.join(",");
  });
  if (twin) {
    wear(fromCell(twin));
    return;
  }
  awaited = "next";
  await window.htmx.ajax("POST", repeatView.root.dataset.make, {
    source: panel, target: tray, swap: "afterbegin", values: { of: pattern.id, repeat },
  });
}

function sayRepeat() {
  fabricForm.elements.repeat.value = wanted ?? fit.repeat;
  const other = !wanted && !bare && Boolean(pattern) && madeFor() !== fit.repeat;
  repeatSaid.textContent = wanted
    ? fill(gettext("Making this fabric for {wanted}; until then it stays {repeat}."), { wanted: gettext(wanted), repeat: gettext(fit.repeat) })
    : `${saidSize(fit)}${pattern?.mended ? gettext(", seams mended") : ""}`;
  repeatOther.hidden = !other;
  if (other) $("button", repeatOther).textContent = fill(gettext("Made for {made}: make it for {repeat}"), { made: gettext(madeFor()), repeat: gettext(fit.repeat) });
  repeatView.show(pattern?.tile);
  repeatView.wear(fit);
}

$("button", repeatOther).addEventListener("click", () => chooseRepeat(fit.repeat));
repeatView.addEventListener("move", ({ detail: [x, y] }) => {
  fit = { ...fit, offset_x: wrapOffset(fit.offset_x + x), offset_y: wrapOffset(fit.offset_y + y) };
  writeFit();
});
repeatView.addEventListener("settle", remember);
stage.addEventListener("paint", () => {
  if (stage.size && stage.canDress) rule($("[data-stage-ruler]"), stage.canvas.clientWidth / 2, (stage.view().scale * stage.pxPerCm) / stage.ratio);
});
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt === lookForm) detail.parameters.repeat = fit.repeat; // what is worn, not what is still being made
});

// ---- choosing what wears it

function fromLink(link) {
  const { kind, id, name, image, photo, maps, mask, pxPerCm, classes, step, mended, remove, rename, move, suggest, turned, pairs } = link.dataset;
  return { kind, id, name, image, photo, maps, mask, pxPerCm: Number(pxPerCm), classes: classes ? classes.split(",") : [], step: Number(step), mended: Boolean(mended), remove, rename, move, suggest, turned, pairs: Boolean(pairs) };
}

/** Of a photo the largest garment is chosen and wears the fabric; the others stay as photographed until they are. */
async function put(chosen, { push = true, turning = false } = {}) {
  worn = chosen;
  fit = { ...fit, garments: chosen.kind === "photo" ? chosen.classes.slice(0, 1) : [] };
  others = [];
  bare &&= turning;
  for (const link of $$(".wearable[data-id]")) {
    const side = !link.hidden && chosen.turned && link.dataset.turned === chosen.id;
    link.toggleAttribute("aria-current", side || (link.dataset.id === chosen.id && link.dataset.kind === chosen.kind));
  }
  sayTurn();
  lookForm.elements.on.value = chosen.kind === "garment" ? chosen.id : "";
  lookForm.elements.photo.value = chosen.kind === "photo" ? chosen.id : "";
  $("#photo-tools").hidden = chosen.kind !== "photo";
  if (chosen.kind === "photo") onPhotos().then(({ about }) => about(chosen), () => {});
  if (chosen.remove) $("[data-photo-delete]").href = chosen.remove;
  if (chosen.suggest) $("[data-photo-suggest]").href = chosen.suggest;
  const restyle = $("[data-photo-restyle]");
  restyle.href = chosen.kind === "photo" ? `${restyle.pathname}?photo=${chosen.id}` : restyle.pathname;
  if (chosen.kind === "garment") $("#stage-job").replaceChildren();
  readFit();
  onOutfit();
  await shown(Promise.all([stage.setWearable({ ...chosen, photo: chosen.photo || chosen.image }), point(push)]));
  if (push) remember();
}

// A garment of the house has a back: the same fabric, fit and recipe, seen from behind.
const turn = $("[data-turn]");
const otherSide = () => (worn?.turned ? $(`#wearable-garment-${worn.turned}`) : null);

function sayTurn() {
  const other = otherSide();
  turn.hidden = !other;
  $("#pairs").hidden = !worn?.pairs;
  if (!other) return;
  turn.href = other.href;
  $("[data-turn-word]").textContent = other.hidden ? gettext("back") : gettext("front");
}

turn.addEventListener("click", (event) => {
  const other = otherSide();
  if (!other || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  put(fromLink(other), { turning: true });
});

// What one does with photos is fetched where there are some.
let photos = null;
function onPhotos() {
  photos ??= import("./photos.js").then((module) => {
    module.onNamed((link, name) => {
      if (worn?.kind !== "photo" || worn.id !== link.dataset.id) return;
      worn = { ...worn, name };
      describe();
    });
    return module;
  });
  return photos;
}

// ---- choosing garments of the picture

const look = () => ({ pattern, bare, fit, others });
const choosable = () => Boolean(worn?.maps) && worn.classes.length > (worn.kind === "photo" ? 0 : 1);

/** Get ready to point at the garments of the picture on the stage; `flash` shows them for a moment. */
async function point(flash) {
  const garments = await picking.open(worn ?? {}, choosable() ? worn.classes : []);
  if (garments && flash && worn.kind === "photo") picking.flash(worn.classes);
  onOutfit();
}

/** Another outfit on the same picture; `push` makes it a step that Undo walks. */
async function dress(next, { push = true } = {}) {
  ({ bare, others, fit } = next);
  awaited = null;
  clearTimeout(wanting);
  wanted = null;
  writeFit();
  if (next.pattern && !bare) await wear(next.pattern, { push: false, tile: false });
  else bareCaption();
  onOutfit();
  await shown(stage.setOutfit(bare ? null : pattern.tile, stageFit(fit), others.map(stagePart)));
  if (push) remember();
}

async function chooseGarment(name) {
  const again = fit.garments.length === 1 && fit.garments[0] === name;
  picking.flash([name]);
  if (again) return;
  await dress(outfit.choose(look(), name, worn.classes), { push: false });
  renew();
  for (const input of $$("input[name='next']")) input.value = address();
  announce(`${outfit.plainWords(name)}, ${bare ? gettext("as photographed; choose a fabric") : gettext("chosen")}`);
}

function nextGarment() {
  if (!choosable()) return;
  const at = fit.garments.length === 1 ? worn.classes.indexOf(fit.garments[0]) : -1;
  chooseGarment(worn.classes[(at + 1) % worn.classes.length]);
}

chips.addEventListener("choose", ({ detail }) => chooseGarment(detail));
picking.addEventListener("choose", ({ detail }) => chooseGarment(detail));
chips.addEventListener("point", ({ detail }) => picking.point(detail));
chips.addEventListener("everything", () => dress(outfit.everything(look())));
chips.addEventListener("takeoff", () => dress(outfit.takeOff(look(), worn.classes)));

// ---- mending the edge of the chosen garment

// The brush is fetched when somebody first wants it.
let mending = null;
async function mend() {
  const { Mending } = await import("./mend.js");
  mending ??= new Mending($("#mend"), (status) => {
    window.htmx.swap("#stage-job", status, { swapStyle: "innerHTML" });
    announce(gettext("Mending the garments of your photo"));
  });
  const [name] = fit.garments.length ? fit.garments : worn.classes;
  if (fit.garments.length !== 1) chooseGarment(name);
  await mending.open(worn, name, outfit.plainWords(name));
}

$("[data-mend]").addEventListener("click", () => mend().catch(() => say(gettext("The brush could not be fetched. Check the connection; nothing of yours is lost."))));

function bareCaption() {
  markChosen();
  const words = fit.garments.map(outfit.plainWords).join(", ");
  $("[data-caption]").textContent = words.replace(/^./, (first) => first.toUpperCase());
  $("[data-caption-small]").textContent = gettext("as photographed; choose a fabric");
  $("a[data-page]").hidden = true;
}

/** Whatever shows the outfit, brought up to date: chips, outlines, the form, the words for those who do not see. */
function onOutfit() {
  const all = worn?.classes ?? [];
  chips.draw(look(), all, choosable(), worn?.kind === "photo");
  picking.keep(bare && choosable() ? fit.garments : []);
  lookForm.elements.pattern.value = bare ? "" : pattern?.id ?? "";
  const field = (name, value) => Object.assign(document.createElement("input"), { type: "hidden", name, value });
  $("[data-outfit-fields]").replaceChildren(
    ...fit.garments.map((name) => field("garments", name)),
    ...others.map((part) => field("wear", outfit.wearWords(part))),
  );
  describe();
}

// The small pictures follow when the large one has come to rest.
let resting = 0;
let taking = false;
stage.addEventListener("paint", () => {
  if (taking) return;
  clearTimeout(resting);
  resting = setTimeout(paintChips, 250);
});

function paintChips() {
  if (!choosable() || !picking.garments) return;
  taking = true;
  chips.paint(stage.snapshot(480), (name) => picking.garments.box(name));
  taking = false;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.wearable[data-id]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  put(fromLink(link));
});

// ---- one's own photo

const file = $("#photo-file");

async function upload() {
  if (!file.files.length) return;
  say(gettext("Taking your photo in."));
  createImageBitmap(file.files[0]).then((picture) => stage.showPicture(picture), () => {});
  uploadForm.requestSubmit();
}

file.addEventListener("change", upload);
document.addEventListener("htmx:xhr:progress", (event) => {
  if (event.target !== uploadForm || !event.detail.lengthComputable) return;
  const share = Math.round((100 * event.detail.loaded) / event.detail.total);
  $(".name", uploadForm).textContent = share < 100 ? `${share} %` : gettext("add yours");
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt !== uploadForm) return;
  uploadForm.reset();
  $("#toast").hidden = event.detail.successful;
  $(".name", uploadForm).textContent = gettext("add yours");
  const newest = $(".wearable[data-kind='photo']");
  if (event.detail.successful && newest) put(fromLink(newest));
  else if (worn) {
    const kept = look();
    put(worn, { push: false }).then(() => dress(kept, { push: false }));
  }
});
document.addEventListener("htmx:afterSettle", () => {
  const link = worn?.kind === "photo" && $(`#wearable-photo-${worn.id}`);
  if (!link || !link.dataset.maps || link.dataset.maps === worn.maps) return;
  const kept = worn.maps && look();
  put(fromLink(link), { push: !kept }).then(() => kept && dress(outfit.keepOnly(kept, worn.classes), { push: false })).then(() => kept && renew());
});

const stageRoot = $("#stage");
const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
stageRoot.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  stageRoot.classList.add("dropping");
});
stageRoot.addEventListener("dragleave", () => stageRoot.classList.remove("dropping"));
stageRoot.addEventListener("drop", (event) => {
  stageRoot.classList.remove("dropping");
  if (!carriesFiles(event)) return;
  event.preventDefault();
  file.files = event.dataTransfer.files;
  upload();
});

// ---- fit

const inputs = () => [...lookForm.elements].filter((one) => one.name in DEFAULTS);

function readFit() {
  const data = new FormData(lookForm);
  fit = {
    garments: fit.garments ?? [],
    repeat: fit.repeat,
    scale_cm: Number(data.get("scale_cm")),
    rotate: Number(data.get("rotate")),
    offset_x: Number(data.get("offset_x")),
    offset_y: Number(data.get("offset_y")),
    strength: Number(data.get("strength")),
    mirrored: Number(data.get("mirrored") ?? 0),
  };
  applyFit();
}

function applyFit() {
  stage.setFit(stageFit(fit));
  sayFit();
  sayRepeat();
}

const stageFit = ({ scale_cm: scale, rotate, offset_x: x, offset_y: y, repeat, strength, mirrored, garments }) =>
  ({ scale, rotate, x, y, repeat, strength, mirrored: Boolean(mirrored), classes: garments ?? [] });
const stagePart = (part) => ({ garments: part.garments, fit: stageFit(part.fit), tile: part.pattern.tile, of: worn?.id });

function sayFit() {
  const short = (value) => figure(Math.round(value * 10) / 10);
  $("[data-out='scale_cm']").textContent = `${short(fit.scale_cm)} cm`;
  $("[data-out='rotate']").textContent = `${short(fit.rotate)}°`;
  $("[data-out='strength']").textContent = `${Math.round(fit.strength * 100)} %`;
  $("#scale").setAttribute("aria-valuetext", fill(gettext("{length} centimetres"), { length: short(fit.scale_cm) }));
  pad.style.setProperty("--x", String((fit.offset_x + 1) / 2));
  pad.style.setProperty("--y", String((fit.offset_y + 1) / 2));
}

function writeFit() {
  for (const input of inputs()) {
    if (input.type === "radio") input.checked = input.value === (wanted ?? fit[input.name]);
    else if (input.type === "checkbox") input.checked = Boolean(fit[input.name]);
    else input.value = String(fit[input.name]);
  }
  applyFit();
}

document.addEventListener("input", (event) => {
  if (!inputs().includes(event.target) || event.target.name === "repeat") return;
  readFit();
});
document.addEventListener("change", (event) => {
  if (!inputs().includes(event.target)) return;
  if (event.target.name === "repeat") chooseRepeat(event.target.value);
  else remember();
});

stage.addEventListener("fit", ({ detail }) => {
  fit = { ...fit, scale_cm: detail.scale, offset_x: detail.x, offset_y: detail.y };
  for (const input of inputs()) {
    if (input.type === "range") input.value = String(fit[input.name]);
  }
  sayFit();
  sayRepeat();
});
stage.addEventListener("settle", remember);
stage.addEventListener("view", ({ detail }) => {
  $("[data-zoom-word]").textContent = `${Math.round(detail * 100)} %`;
});

function padTo(event) {
  const box = pad.getBoundingClientRect();
  const at = (value, from, size) => Math.round(Math.min(1, Math.max(-1, (2 * (value - from)) / size - 1)) * 100) / 100;
  fit.offset_x = at(event.clientX, box.left, box.width);
  fit.offset_y = at(event.clientY, box.top, box.height);
  writeFit();
}

pad.addEventListener("pointerdown", (event) => {
  pad.setPointerCapture(event.pointerId);
  padTo(event);
});
pad.addEventListener("pointermove", (event) => pad.hasPointerCapture(event.pointerId) && padTo(event));
pad.addEventListener("pointerup", remember);
$("[data-centre]").addEventListener("click", () => {
  fit = { ...fit, offset_x: 0, offset_y: 0 };
  writeFit();
  remember();
});

$$("[data-zoom]").forEach((button) => button.addEventListener("click", () => {
  if (button.dataset.zoom === "in") stage.zoomBy(1.4);
  else if (button.dataset.zoom === "out") stage.zoomBy(1 / 1.4);
  else stage.fitView();
}));

// ---- the address, the way back, the strip of moments

// Every fabric and every look that is shown is a step of the browser's own history, which Undo and Back both walk.
// A fabric that is still being made is a step too: it points at that fabric and shows, until it comes, the one before.

const snapshot = () => ({ pattern, worn, fit: { ...fit, garments: [...(fit.garments ?? [])] }, bare, others, awaited });
const same = (one, other) => Boolean(one) && address(one) === address(other);

let depth = history.state?.depth ?? (cameFromHere() ? keptDepth() + 1 : 0);

/** Another address of the studio led here, by a link: one step more on the same way. */
function cameFromHere() {
  const [visit] = performance.getEntriesByType("navigation");
  if (visit?.type !== "navigate" || !document.referrer) return false;
  const from = new URL(document.referrer);
  return from.origin === location.origin && from.pathname === location.pathname;
}

function keptDepth() {
  return Number(sessionStorage.getItem("toile:depth") ?? 0);
}

function stand(at) {
  depth = at;
  sessionStorage.setItem("toile:depth", String(depth));
  undoButton.disabled = depth === 0;
}

/** Go one step on; the step that is left is given the address that shows it again, whatever is made meanwhile. */
function step() {
  if (history.state?.fit) history.replaceState(history.state, "", address(history.state));
  stand(depth + 1);
  renew();
}

/** Take a step on, or bring this one up to date; a fabric that was waited for comes into its own step. */
function renew() {
  const now = { ...snapshot(), depth };
  if (depth === history.state?.depth) history.replaceState(now, "", address(now));
  else history.pushState(now, "", address(now));
}

function undo() {
  if (depth > 0) history.back();
}

function address({ pattern, worn, fit, awaited, bare, others = [] } = snapshot()) {
  const query = new URLSearchParams();
  const fabric = waits({ awaited }) ? awaited : bare ? "none" : pattern?.id;
  if (fabric) query.set("pattern", fabric);
  if (worn) query.set(worn.kind === "photo" ? "photo" : "on", worn.id);
  for (const [name, usual] of Object.entries(DEFAULTS)) {
    const value = typeof fit[name] === "number" ? Math.round(fit[name] * 1000) / 1000 : fit[name];
    if (value !== usual) query.set(name, value);
  }
  for (const garment of fit.garments ?? []) query.append("garments", garment);
  if (worn?.kind === "photo" && !fit.garments?.length) query.set("garments", "all");
  for (const part of others) query.append("wear", outfit.wearWords(part));
  if (new URLSearchParams(location.search).has("flat")) query.set("flat", "");
  return `${location.pathname}?${query}`;
}

function remember() {
  if (!pattern || !worn) return;
  const now = snapshot();
  const url = address(now);
  const arrived = history.state?.awaited && history.state.awaited === pattern.id;
  if (arrived || same(history.state, now)) renew();
  else step();
  for (const input of $$("input[name='next']")) input.value = url;
  const words = choosable() ? outfit.said(look(), worn.classes) : fill(gettext("in {fabric}"), { fabric: pattern.title ?? gettext(pattern.type) });
  if (worn.maps) moments.keep({ ...snapshot(), url }, stage.thumbnail(), `${worn.name} ${words}`);
}

async function restore(moment, { push = true } = {}) {
  awaited = null;
  if (moment.worn && (moment.worn.id !== worn?.id || moment.worn.kind !== worn?.kind)) {
    const link = $(`#wearable-${moment.worn.kind}-${moment.worn.id}`);
    await put(link?.dataset.maps ? fromLink(link) : moment.worn, { push: false });
  }
  const { pattern: fabric, bare: none = false, others: rest = [] } = moment;
  const kept = { pattern: fabric, bare: none, fit: { ...DEFAULTS, garments: [], ...moment.fit }, others: rest };
  await dress(outfit.keepOnly(kept, worn?.classes ?? []), { push: false });
  if (push && !same(history.state, snapshot())) step();
}

/** A step that waits for its fabric goes on waiting, or wears it if it has come meanwhile. */
function awaitAgain(moment) {
  if (!waits(moment)) return;
  awaited = moment.awaited;
  onTray();
}

window.addEventListener("popstate", (event) => {
  if (!event.state?.fit) return;
  stand(event.state.depth ?? 0);
  restore(event.state, { push: false }).then(() => awaitAgain(event.state));
});

undoButton.addEventListener("click", undo);

function describe() {
  if (!worn) return;
  if (choosable()) {
    stage.canvas.setAttribute("aria-label", `${worn.name}: ${outfit.said(look(), worn.classes)}`);
    return;
  }
  const fabric = pattern && (pattern.title ?? gettext(pattern.type)).toLowerCase();
  const words = pattern ? fill(gettext("{garment} in {fabric}"), { garment: worn.name, fabric: `${fabric}, ${seedsOf(pattern)}` }) : worn.name;
  stage.canvas.setAttribute("aria-label", words);
}

// ---- keyboard

const typing = (target) => target.closest("input:not([type='range']), textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey || event.target.closest("dialog[open]")) return;
  if (event.key === " ") {
    if (event.target.closest("button, a, summary, input, select, textarea")) return;
    event.preventDefault();
    if (!event.repeat) stage.compare(true);
    return;
  }
  if (typing(event.target) && event.target.type !== "radio" && event.target.type !== "checkbox") return;
  const key = event.key.toLowerCase();
  if (key === "g") $("#again").click();
  else if (key === "l") $("#more-like").click();
  else if (key === "b") openBlend();
  else if (key === "k") $("#shelf-keep").click();
  else if (key === "x") $("#shelf-discard").click();
  else if (key === "u") undo();
  else if (key === "n") nextGarment();
  else if (key === "d") openDownloads();
  else if (key === "?") $("#keys").showModal();
  else if (event.target !== stage.canvas && (key === "+" || key === "=")) stage.zoomBy(1.25);
  else if (event.target !== stage.canvas && key === "-") stage.zoomBy(0.8);
  else if (event.target !== stage.canvas && key === "0") stage.fitView();
  else return;
  event.preventDefault();
});
document.addEventListener("keyup", (event) => {
  if (event.key === " ") stage.compare(false);
});

function openBlend() {
  const fabric = $("#tab-fabric");
  if (fabric) fabric.checked = true;
  openMix();
}

function openDownloads() {
  const save = $("#tab-save");
  if (save) save.checked = true;
  $("#downloads").open = true;
  $("#downloads .sheet button").focus();
}

// A download that was asked for follows by itself, also where the page is loaded anew before it is ready.

for (const place of $$("[data-wanted]")) {
  const key = `toile:wanted:${place.id}`;
  place.addEventListener("htmx:afterSettle", () => {
    const following = $("[data-follow]", place)?.getAttribute("hx-get");
    if (following) sessionStorage.setItem(key, following);
    else sessionStorage.removeItem(key);
  });
  const wanted = sessionStorage.getItem(key);
  if (wanted && !place.children.length) window.htmx.ajax("GET", wanted, { source: place, target: place, swap: "innerHTML" });
}

lookForm.addEventListener("submit", () => {
  $("#downloads").open = false;
  announce(gettext("Making your look"));
});
$("[data-tile-link]").addEventListener("click", () => ($("#downloads").open = false));

$("[data-print-link]").addEventListener("click", (event) => {
  if (!pattern?.page) return;
  const lies = new URLSearchParams({ repeat: fit.repeat, scale_cm: Math.round(fit.scale_cm * 10) / 10 });
  event.currentTarget.href = `${pattern.page}print/?${lies}`;
});

// ---- begin

async function begin() {
  const chosen = $(".cell.chosen[data-pattern]", tray);
  if (pattern && chosen) pattern = fromCell(chosen);
  for (const box of $$("[data-plain]")) box.remove();
  fit = { ...fit, offset_x: wrapOffset(fit.offset_x), offset_y: wrapOffset(fit.offset_y) };
  applyFit();
  if (bare) bareCaption();
  const sample = $("input[name='pattern_type']:checked")?.dataset.sample;
  const tile = bare ? null : pattern?.tile ?? sample ?? null;
  const showing = worn ? stage.setWearable({ ...worn, photo: worn.photo || worn.image }) : Promise.resolve();
  stand(depth);
  history.replaceState({ ...snapshot(), depth }, "");
  const dressing = stage.setOutfit(tile, stageFit(fit), others.map(stagePart));
  await shown(Promise.all([dressing, showing, point(true)]));
  onTray();
}

if ($(".wearable[data-kind='photo']")) onPhotos().catch(() => {});
begin();
