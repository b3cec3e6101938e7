// The mask editor: a photo on the table, a mask over it, a brush, and the way back.

import { pixels } from "../stage/images.js";
import { draw } from "./brush.js";
import { Hands } from "./hands.js";
import { History } from "./history.js";
import { Plane, union } from "./plane.js";
import * as shape from "./shape.js";
import { View } from "./view.js";
import { Wash } from "./wash.js";

export const LONGEST = 2048;
const STEP = 1 / 250;
const LEAST_PRESSURE = 0.2;
const TAP_RING = 14;

export class Editor extends EventTarget {
  /** Says "change" after every change of the mask, "settle" when the hand is off it, "view" when the zoom changed. */
  constructor(root) {
    super();
    this.root = root;
    this.frame = root.querySelector("[data-frame]");
    this.photo = root.querySelector("[data-photo-shown]");
    this.ring = root.querySelector("[data-ring]");
    this.wash = new Wash(root.querySelector("[data-wash]"));
    this.view = new View(this.frame, root.querySelector("[data-sheet]"));
    this.view.addEventListener("view", () => this.onView());
    this.brush = { size: 48, softness: 0.3, erase: false };
    this.plane = null;
    this.aim = null;
    this.onTap = null; // told the place where the brush would have been put down, instead of painting
    const stroke = { begin: (point, erase) => this.begin(point, erase), go: (points) => this.go(points), end: () => this.end(), drop: () => this.drop() };
    new Hands(this.frame, this.view, stroke, (point) => this.showRing(point));
  }

  // ---- what lies on the table

  /** Show a picture of `width` x `height`; the mask begins empty.  Rejects when the picture cannot be fetched. */
  async open(address, alt, width, height) {
    this.root.dataset.state = "loading";
    const ratio = Math.min(1, LONGEST / Math.max(width, height));
    const plane = new Plane(Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio)));
    if (this.photo.getAttribute("src") !== address) this.photo.src = address;
    this.photo.alt = alt;
    await this.photo.decode();
    this.plane = plane;
    this.history = new History(plane);
    this.stroke = null;
    this.wash.fit(plane);
    this.view.fit(plane.width, plane.height);
    this.root.dataset.state = "ready";
    this.changed();
  }

  get ready() {
    return this.root.dataset.state === "ready";
  }

  get empty() {
    return !this.plane || this.plane.empty;
  }

  /** The mask to begin with: no step, so nothing undoes it. */
  lay(picture) {
    this.plane.data.set(this.bytesOf(picture));
    this.repaint(this.plane.whole);
    this.changed();
  }

  // ---- changing the mask

  /** A new mask as one step. */
  put(bytes) {
    const before = this.plane.data.slice();
    this.plane.data.set(bytes);
    this.history.keep(before, this.plane.whole);
    this.repaint(this.plane.whole);
    this.changed();
    this.settled();
  }

  /** A picture as a mask: light is marked, what is transparent is not. */
  bytesOf(picture) {
    const { data } = pixels(picture, this.plane.width, this.plane.height);
    const bytes = new Uint8Array(this.plane.data.length);
    for (let at = 0; at < bytes.length; at += 1) {
      const light = 0.299 * data[4 * at] + 0.587 * data[4 * at + 1] + 0.114 * data[4 * at + 2];
      bytes[at] = (light * data[4 * at + 3]) / 255 + 0.5;
    }
    return bytes;
  }

  /** A picture as a mask, in place of the one there is, added to it or taken from it. */
  join(picture, how = "replace") {
    this.put(shape.JOIN[how](this.plane, this.bytesOf(picture)));
  }

  get step() {
    return Math.max(1, Math.round(Math.max(this.plane.width, this.plane.height) * STEP));
  }

  grow() {
    if (!this.empty) this.put(shape.grow(this.plane, this.step));
  }

  shrink() {
    if (!this.empty) this.put(shape.shrink(this.plane, this.step));
  }

  feather() {
    if (!this.empty) this.put(shape.feather(this.plane, this.step));
  }

  invert() {
    this.put(shape.invert(this.plane));
  }

  clear() {
    if (!this.empty) this.put(new Uint8Array(this.plane.data.length));
  }

  undo() {
    this.turn(this.history.undo());
  }

  redo() {
    this.turn(this.history.redo());
  }

  turn(step) {
    if (!step) return;
    this.repaint(step.box);
    this.changed();
    this.settled();
  }

  // ---- one stroke

  begin(point, eraserEnd) {
    if (!this.plane) return;
    this.place = this.onTap && point;
    if (this.place) return;
    this.stroke = { before: this.plane.data.slice(), box: null, last: this.nib(point), erase: this.brush.erase || eraserEnd };
  }

  /** Go on through `points`; without any, dab where the stroke is. */
  go(points) {
    if (!this.stroke) return;
    const nibs = points.length ? points.map((point) => this.nib(point)) : [this.stroke.last];
    let touched = null;
    for (const nib of nibs) {
      touched = union(touched, draw(this.plane, this.stroke.last, nib, { softness: this.brush.softness, erase: this.stroke.erase }));
      this.stroke.last = nib;
    }
    this.stroke.box = union(this.stroke.box, touched);
    this.repaint(touched);
  }

  end() {
    const { stroke, place } = this;
    this.stroke = this.place = null;
    if (place) this.onTap?.(place);
    if (!stroke?.box) return;
    const { box } = stroke;
    if (box.right <= box.left || box.bottom <= box.top) return;
    const before = new Plane(this.plane.width, this.plane.height, stroke.before).cut(box);
    const now = this.plane.cut(box);
    if (before.every((value, at) => value === now[at])) return;
    this.history.keep(before, box);
    this.changed();
    this.settled();
  }

  /** As if the stroke had never been begun. */
  drop() {
    const { stroke } = this;
    this.stroke = this.place = null;
    if (!stroke?.box) return;
    this.plane.data.set(stroke.before);
    this.repaint(stroke.box);
  }

  nib({ x, y, pressure = 1 }) {
    const force = pressure === 1 ? 1 : LEAST_PRESSURE + (1 - LEAST_PRESSURE) * pressure;
    return { x, y, radius: Math.max(0.5, (this.brush.size / 2 / this.view.scale) * force) };
  }

  // ---- painting by keyboard: the arrows move the brush, Enter dabs, Shift and the arrows draw

  aimBy(dx, dy, paint) {
    if (!this.plane) return;
    const from = this.aim ?? { x: this.plane.width / 2, y: this.plane.height / 2 };
    const far = Math.max(2, this.brush.size / 3) / this.view.scale;
    const hold = (value, most) => Math.min(most, Math.max(0, value));
    const to = { x: hold(from.x + dx * far, this.plane.width), y: hold(from.y + dy * far, this.plane.height) };
    if (paint && !this.onTap) {
      this.begin(from);
      this.go([to]);
      this.end();
    }
    this.showRing(to);
  }

  dab(turned = false) {
    if (!this.plane) return;
    this.begin({ ...(this.aim ?? { x: this.plane.width / 2, y: this.plane.height / 2 }), turned });
    this.go([]);
    this.end();
  }

  // ---- what is seen

  setBrush(brush) {
    Object.assign(this.brush, brush);
    this.root.dataset.tool = this.brush.erase ? "erase" : "brush";
    if (this.aim) this.showRing(this.aim);
  }

  compare(on) {
    this.root.toggleAttribute("data-comparing", on);
  }

  showRing(point) {
    this.aim = point ?? this.aim;
    this.ring.hidden = !point || !this.plane;
    if (!point || !this.plane) return;
    const { x, y } = this.view.on(point);
    const size = this.onTap ? TAP_RING : 2 * this.nib(point).radius * this.view.scale;
    this.ring.style.cssText = `width:${size}px;height:${size}px;translate:${x - size / 2}px ${y - size / 2}px`;
  }

  onView() {
    this.dispatchEvent(new CustomEvent("view", { detail: this.view.by }));
  }

  /** Draw `box` again with the next frame, together with what else is due. */
  repaint(box) {
    if (!box) return;
    const first = !this.dirty;
    this.dirty = union(this.dirty, box);
    if (first) requestAnimationFrame(() => this.flush());
  }

  flush() {
    const box = this.dirty;
    this.dirty = null;
    if (box) this.wash.draw(this.plane, box);
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  settled() {
    this.dispatchEvent(new Event("settle"));
  }

  // ---- in and out

  /** The mask as a grey PNG of the plane's size. */
  async png() {
    const canvas = Object.assign(document.createElement("canvas"), { width: this.plane.width, height: this.plane.height });
    const pen = canvas.getContext("2d");
    const picture = pen.createImageData(canvas.width, canvas.height);
    const words = new Uint32Array(picture.data.buffer);
    this.plane.data.forEach((value, at) => (words[at] = 0xff000000 | (value << 16) | (value << 8) | value));
    pen.putImageData(picture, 0, 0);
    return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no picture"))), "image/png"));
  }
}
