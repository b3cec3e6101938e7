// Mending the edge of a garment: the brush of Restyle on the stage's photo, one garment at a time.  What is saved
// becomes the photo's own mask; other garments lose the pixels that this one is given.  A tap asks the network what is
// there, and its answer is a step like a stroke.

import { pauses } from "./follow.js";
import { Editor } from "./restyle/editor.js";
import { JOIN } from "./restyle/shape.js";
import { announce, say } from "./site.js";
import { bitmap } from "./stage/images.js";
import { gettext } from "./words.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SAID = { undo: gettext("Undone"), redo: gettext("Done again"), grow: gettext("Grown"), shrink: gettext("Shrunk") };

const TOOLS = { b: "brush", e: "erase", t: "tap", n: "not" };
const MOST_TAPS = 32;
const PATIENCE = 120_000;

const token = () => /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? document.querySelector("[name='csrfmiddlewaretoken']").value;

export class Mending {
  /** `dialog`: the table it is done on; `onAsked(html)` is given the server's word on how it stands. */
  constructor(dialog, onAsked) {
    this.dialog = dialog;
    this.onAsked = onAsked;
    this.table = dialog.querySelector("[data-table]");
    this.sizer = dialog.querySelector("[data-size]");
    this.looking = dialog.querySelector("[data-looking]");
    this.taps = [];
    this.editor = new Editor(this.table);
    this.editor.addEventListener("change", () => this.refresh());
    this.sizer.addEventListener("input", () => this.editor.setBrush({ size: Number(this.sizer.value) }));
    dialog.addEventListener("click", (event) => this.onClick(event.target.closest("button")));
    dialog.addEventListener("keydown", (event) => this.onKey(event));
    dialog.addEventListener("keyup", (event) => event.key === " " && this.editor.compare(false));
    dialog.addEventListener("close", () => this.forget());
    dialog.addEventListener("cancel", (event) => this.mayLeave() || event.preventDefault());
  }

  /** Open on `garment` (called `words`) of the photo `worn`. */
  async open(worn, garment, words) {
    const at = `${this.dialog.dataset.photos}${worn.id}/`;
    this.address = `${at}garments/${garment}/`;
    this.tapping = `${at}tap/`;
    this.garment = garment;
    this.forget();
    this.restoring = `${at}as-found/`;
    this.dialog.querySelector("[data-word]").textContent = words;
    this.dialog.querySelector("[data-do='as-found']").hidden = !worn.mended;
    this.choose("brush");
    this.dialog.showModal();
    try {
      const mask = await bitmap(`${this.address}?v=${encodeURIComponent(worn.maps)}`);
      await this.editor.open(worn.image, worn.name, mask.width, mask.height);
      this.editor.lay(mask);
      this.refresh();
      this.editor.frame.focus({ preventScroll: true });
    } catch {
      this.dialog.close();
      say(gettext("The garment's mask could not be fetched. Check the connection; nothing of yours is lost."));
    }
  }

  onClick(button) {
    if (!button) return;
    const { tool, do: what, closer } = button.dataset;
    if (tool) this.choose(tool);
    else if (closer === "fit") this.editor.view.whole();
    else if (closer) this.editor.view.zoom(closer === "in" ? 1.5 : 1 / 1.5);
    else if (what === "save") this.save();
    else if (what === "as-found") this.send(this.restoring, new FormData());
    else if (what === "leave") this.mayLeave() && this.dialog.close();
    else if (what) this.act(what);
  }

  choose(name) {
    const taps = name === "tap" || name === "not";
    this.editor.setBrush({ erase: name === "erase" || name === "not" });
    this.editor.onTap = taps ? (place) => this.tap(place, (name === "tap") !== place.turned) : null;
    for (const one of this.dialog.querySelectorAll("button[data-tool]")) one.setAttribute("aria-pressed", String(one.dataset.tool === name));
  }

  act(what) {
    if (!this.editor.ready) return;
    this.editor[what]();
    announce(SAID[what]);
  }

  // ---- taps

  /** The photo is another one, or the table is left: no answer is waited for any more. */
  forget() {
    this.asked = null;
    this.taps = [];
    this.looking.hidden = true;
  }

  /** Ask what is at `place` and add it to the garment or, `on` false, take it away. */
  async tap(place, on) {
    const { width, height } = this.editor.plane;
    const [x, y] = [Math.floor(place.x), Math.floor(place.y)];
    if (this.asked || x < 0 || y < 0 || x >= width || y >= height) return;
    const asked = (this.asked = {});
    this.looking.hidden = false;
    try {
      const taps = [...this.taps.slice(1 - MOST_TAPS).map((one) => one.tap), [x, y, on]];
      const picture = await this.answer({ width, height, garment: this.garment, taps }, () => this.asked === asked);
      if (this.asked === asked) this.joined(picture, [x, y, on]);
    } catch (error) {
      if (this.asked === asked) say(error.plain ?? gettext("The studio does not answer. What is marked so far is safe. Tap again in a moment."));
    }
    if (this.asked !== asked) return;
    this.asked = null;
    this.looking.hidden = true;
  }

  /** The picture that comes of the taps; throws with the server's sentence as `plain` where none does. */
  async answer(taps, wanted) {
    const headers = { "Content-Type": "application/json", "HX-Request": "true", "X-CSRFToken": token() };
    const { at } = await (await this.heard(await fetch(this.tapping, { method: "POST", body: JSON.stringify(taps), headers }))).json();
    for await (const _ of pauses(PATIENCE)) {
      if (!wanted()) break;
      const said = await this.heard(await fetch(at));
      if (said.status === 200) return createImageBitmap(await said.blob());
    }
    throw Object.assign(new Error("no answer"), { plain: gettext("The workers are very busy. What is marked so far is safe. Tap again in a while, or use the brush.") });
  }

  async heard(response) {
    if (response.ok) return response;
    const plain = (response.headers.get("Content-Type") ?? "").startsWith("text/plain");
    throw Object.assign(new Error("refused"), { plain: plain ? await response.text() : gettext("This tap did not go through. What is marked so far is safe. Please try again.") });
  }

  /** One step; a tap is known to the next ones until it is undone. */
  joined(picture, tap) {
    const { editor } = this;
    const bytes = JOIN[tap[2] ? "add" : "take"](editor.plane, editor.bytesOf(picture));
    if (bytes.every((value, at) => value === editor.plane.data[at])) return say(gettext("This tap changes nothing: it is marked that way already."));
    editor.put(bytes);
    this.taps.push({ tap, step: editor.history.top });
    announce(tap[2] ? gettext("Added") : gettext("Taken away"));
  }

  get touched() {
    return Boolean(this.editor.history?.canUndo);
  }

  /** Strokes that were not saved are not thrown away by one key. */
  mayLeave() {
    if (!this.touched || this.leaving) {
      this.leaving = false;
      return true;
    }
    this.leaving = true;
    say(gettext("Your strokes are not saved yet. Leave once more to drop them."));
    return false;
  }

  refresh() {
    this.leaving = false;
    const { history, empty } = this.editor;
    if (history?.canRedo) this.taps = this.taps.filter(({ step }) => !history.undone.includes(step));
    const state = { undo: history?.canUndo, redo: history?.canRedo, grow: !empty, shrink: !empty, save: this.touched };
    for (const [name, can] of Object.entries(state)) this.dialog.querySelector(`[data-do='${name}']`).disabled = !can;
  }

  async save() {
    const body = new FormData();
    body.set("file", await this.editor.png(), "mask.png");
    await this.send(this.address, body);
  }

  async send(address, body) {
    let answer;
    try {
      answer = await fetch(address, { method: "POST", body, headers: { "HX-Request": "true", "X-CSRFToken": token() } });
    } catch {
      say(navigator.onLine ? gettext("The studio does not answer. Your strokes are safe here; try again in a moment.") : gettext("You are offline. Your strokes are safe here."));
      return;
    }
    const text = await answer.text();
    if (!answer.ok) {
      const plain = (answer.headers.get("Content-Type") ?? "").startsWith("text/plain");
      say(plain ? text : gettext("The correction did not go through. Your strokes are safe here; please try again."));
      return;
    }
    this.dialog.close();
    this.onAsked(text);
  }

  onKey(event) {
    const key = event.key.toLowerCase();
    const command = event.ctrlKey || event.metaKey;
    const onTable = event.target === this.editor.frame;
    if ((event.altKey && key !== "enter") || event.target.matches("input[type='range']")) return;
    if (command && key === "z") this.act(event.shiftKey ? "redo" : "undo");
    else if (command && key === "y") this.act("redo");
    else if (command) return;
    else if (TOOLS[key]) this.choose(TOOLS[key]);
    else if (key === "[" || key === "]") this.resize(key === "]" ? 1.25 : 0.8);
    else if (key === "+" || key === "=") this.editor.view.zoom(1.5);
    else if (key === "-") this.editor.view.zoom(1 / 1.5);
    else if (key === "0") this.editor.view.whole();
    else if (key === " " && onTable) this.editor.compare(true);
    else if (onTable && ARROWS[event.key]) this.editor.aimBy(...ARROWS[event.key], event.shiftKey);
    else if (onTable && key === "enter") this.editor.dab(event.shiftKey || event.altKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  resize(by) {
    this.sizer.value = String(Math.round(Number(this.sizer.value) * by));
    this.editor.setBrush({ size: Number(this.sizer.value) });
  }
}
