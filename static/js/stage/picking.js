// Pointing at the garments of a photo: an outline on hover, keyboard focus or tap; a tap or click chooses.

import { bitmap } from "./images.js";
import { Garments } from "./garments.js";

const TAP = 6;
const LONG = 600;
const SHOWN = 1400;

export class Picking extends EventTarget {
  /** `stage`: the Stage; `sheet`: the SVG that outlines are drawn on; `words(name)`: what a garment is called.  Says "choose". */
  constructor(stage, sheet, words) {
    super();
    this.stage = stage;
    this.sheet = sheet;
    this.group = sheet.querySelector("g");
    this.words = words;
    this.garments = null;
    this.hovered = this.pointed = undefined;
    this.flashed = [];
    this.kept = [];
    this.tag = Object.assign(document.createElement("span"), { className: "garment-word", hidden: true });
    this.tag.setAttribute("aria-hidden", "true");
    sheet.after(this.tag);
    this.listen(stage.canvas);
    stage.addEventListener("paint", () => this.draw());
  }

  /** The picture that is on the stage now: its mask, and the names of what can be chosen in it. */
  async open(wearable, names) {
    const ticket = (this.opening = Symbol("garments"));
    this.garments = null;
    this.hovered = this.pointed = undefined;
    this.flashed = this.kept = [];
    this.draw();
    if (!wearable.mask || !names.length) return null;
    const mask = await bitmap(wearable.mask);
    if (ticket !== this.opening) return null;
    this.garments = new Garments(mask, wearable.step || 32, names);
    return this.garments;
  }

  /** Show outlines for a moment. */
  flash(names) {
    this.flashed = names;
    clearTimeout(this.flashing);
    this.flashing = setTimeout(() => {
      this.flashed = [];
      this.draw();
    }, SHOWN);
    this.draw();
  }

  /** Outlines that stay: what is chosen and wears nothing yet. */
  keep(names) {
    this.kept = names;
    this.draw();
  }

  /** A garment that is pointed at elsewhere, with the keyboard or on its chip; undefined is none. */
  point(name) {
    this.pointed = name;
    this.draw();
  }

  // ---- hands

  listen(target) {
    target.addEventListener("pointermove", (event) => event.pointerType !== "touch" && this.hover(event));
    target.addEventListener("pointerleave", () => this.hover(null));
    target.addEventListener("pointerdown", (event) => {
      const alone = event.isPrimary && event.button === 0;
      this.down = alone ? { x: event.clientX, y: event.clientY, at: event.timeStamp } : null;
    });
    target.addEventListener("pointerup", (event) => this.up(event));
  }

  up(event) {
    const { down } = this;
    this.down = null;
    if (!down || event.timeStamp - down.at > LONG || Math.hypot(event.clientX - down.x, event.clientY - down.y) > TAP) return;
    const name = this.under(event);
    if (name) this.dispatchEvent(new CustomEvent("choose", { detail: name }));
  }

  under({ clientX, clientY }) {
    const { stage } = this;
    if (!this.garments || !stage.size) return undefined;
    const box = stage.canvas.getBoundingClientRect();
    const view = stage.view();
    const x = ((clientX - box.left) * stage.ratio - view.x) / view.scale;
    const y = ((clientY - box.top) * stage.ratio - view.y) / view.scale;
    return this.garments.at(x, y);
  }

  hover(event) {
    const name = event && !event.buttons ? this.under(event) : undefined;
    this.stage.canvas.style.cursor = name && this.garments.names.length > 1 ? "pointer" : "";
    this.tag.hidden = !name;
    if (name) {
      const box = this.stage.root.getBoundingClientRect();
      this.tag.textContent = this.words(name);
      this.tag.style.translate = `${event.clientX - box.left + 14}px ${event.clientY - box.top + 14}px`;
    }
    if (name === this.hovered) return;
    this.hovered = name;
    this.draw();
  }

  // ---- what is seen

  draw() {
    const { sheet, stage } = this;
    const asked = this.garments && stage.size && !stage.comparing ? [...this.flashed, ...this.kept, this.hovered, this.pointed] : [];
    const shown = [...new Set(asked)].filter((name) => name && this.garments.names.includes(name));
    sheet.toggleAttribute("hidden", !shown.length);
    if (shown.length) {
      const { scale, x, y } = stage.view();
      const by = 1 / stage.ratio;
      this.group.setAttribute("transform", `translate(${x * by} ${y * by}) scale(${scale * by})`);
    }
    if (sheet.dataset.shown === shown.join(" ")) return;
    sheet.dataset.shown = shown.join(" ");
    this.group.replaceChildren(...["under", "over"].flatMap((kind) => shown.map((name) => line(kind, this.garments.outline(name)))));
  }
}

function line(kind, path) {
  const one = document.createElementNS("http://www.w3.org/2000/svg", "path");
  one.setAttribute("class", kind);
  one.setAttribute("d", path);
  return one;
}
