// The stage: a picture wearing a fabric. Drag moves the fabric, wheel and pinch scale it, the handle compares.

import { FlatComposite } from "./composite_2d.js";
import { GLComposite } from "./composite_gl.js";
import { garmentValue } from "./garments.js";
import { bitmap, compose } from "./images.js";

const SCALE = [2, 80];
const MAX_ZOOM = 8;
const FADE = 180;
const SLOW = 40;
const COARSE = 0.5;
const SLACK = 4;
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** Offsets repeat after two tiles in every repeat; keep them in -1..1. */
export const wrapOffset = (value) => value - 2 * Math.round(value / 2);

function compositeFor(canvas) {
  if (new URLSearchParams(location.search).has("flat")) return new FlatComposite(canvas);
  try {
    return new GLComposite(canvas);
  } catch {
    return new FlatComposite(canvas);
  }
}

export class Stage extends EventTarget {
  /** Emits "fit" (the hand changed the fit), "settle" (the hand let go), "view" (zoom changed) and "paint". */
  constructor(root) {
    super();
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.handle = root.querySelector("[data-handle]");
    this.composite = compositeFor(this.canvas);
    root.dataset.renderer = this.composite.kind;
    this.fit = { scale: 16, rotate: 0, x: 0, y: 0, repeat: "basic", strength: 1, classes: [] };
    this.others = [];
    this.bare = false;
    this.size = null;
    this.fade = 1;
    this.split = 0;
    this.comparing = false;
    this.zoom = { by: 1, x: 0, y: 0 };
    this.pointers = new Map();
    this.coarse = 1;
    this.listen();
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    this.resize();
  }

  // ---- what is shown

  /** `wearable`: { photo, maps, mask: addresses, pxPerCm, step }; without maps the picture is shown as it is. */
  async setWearable(wearable) {
    const ticket = (this.wearing = Symbol("wearable"));
    this.root.dataset.state = "loading";
    const named = [wearable.photo, wearable.maps, wearable.mask].map((url) => (url ? bitmap(url) : null));
    const [photo, maps, mask] = await Promise.all(named);
    if (ticket !== this.wearing) return;
    this.composite.wearable(photo, maps, mask);
    this.size = { width: photo.width, height: photo.height };
    this.pxPerCm = Number(wearable.pxPerCm) || 1;
    this.step = Number(wearable.step) || undefined;
    this.canDress = Boolean(maps && mask);
    this.others = this.others.filter((part) => part.of === wearable.id);
    this.zoom = { by: 1, x: 0, y: 0 };
    this.shown();
  }

  /** A picture that is not on the server yet, shown as it is. */
  showPicture(picture) {
    this.wearing = Symbol("picture");
    this.composite.wearable(picture, null, null);
    this.size = { width: picture.width, height: picture.height };
    this.canDress = false;
    this.shown();
  }

  async setTile(url) {
    await this.putTile(() => bitmap(url));
  }

  /** A colourway made in the browser from the ink maps at `url`. */
  async setInks(url, palette) {
    await this.putTile(async () => compose(await bitmap(url), palette));
  }

  async putTile(load) {
    const ticket = (this.tiling = Symbol("tile"));
    const source = await load();
    if (ticket !== this.tiling) return;
    this.composite.tile(source);
    this.bare = false;
    if (this.hasTile && !calm.matches && this.composite.kind === "webgl2" && !this.composite.software) this.startFade();
    this.hasTile = true;
    this.shown();
  }

  /**
   * What the chosen garments wear (`tile`: an address, null: as photographed) and how, and the other parts of the
   * outfit, { garments, fit, tile, of }, where `of` is the wearable's id: all of it at once.
   */
  async setOutfit(tile, fit, others) {
    const ticket = (this.outfitting = Symbol("outfit"));
    const tiling = (this.tiling = Symbol("tile"));
    const there = others.filter((part) => part.tile);
    const [own, ...rest] = await Promise.all([tile, ...there.map((part) => part.tile)].map((url) => (url ? bitmap(url) : null)));
    if (ticket !== this.outfitting) return;
    there.forEach((part, at) => this.composite.fabrics.has(part.tile) || this.composite.tile(rest[at], part.tile));
    this.composite.only([0, ...there.map((part) => part.tile)]);
    this.others = there;
    if (tiling === this.tiling) {
      if (own) this.composite.tile(own);
      this.hasTile ||= Boolean(own);
      this.bare = !own;
      this.fade = 1;
    }
    this.setFit(fit);
    this.shown();
  }

  shown() {
    this.root.dataset.state = this.size ? "ready" : "loading";
    this.render();
  }

  setFit(fit) {
    Object.assign(this.fit, fit);
    this.render();
  }

  compare(on) {
    this.comparing = on;
    this.render();
  }

  setSplit(share) {
    this.split = clamp(share, 0, 1);
    this.render();
  }

  // ---- drawing

  get ratio() {
    return this.canvas.width / Math.max(1, this.canvas.clientWidth);
  }

  resize() {
    const finest = this.composite.software ? 1 : 2;
    const dots = Math.min(window.devicePixelRatio || 1, finest) * this.coarse;
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight) return;
    this.canvas.width = Math.round(clientWidth * dots);
    this.canvas.height = Math.round(clientHeight * dots);
    this.paint();
  }

  /** Canvas pixels per picture pixel, and where the picture's corner lies on the canvas. */
  view(width = this.canvas.width, height = this.canvas.height, zoom = this.zoom) {
    const scale = Math.min(width / this.size.width, height / this.size.height) * zoom.by;
    const x = (width - this.size.width * scale) / 2 + zoom.x * width;
    const y = (height - this.size.height * scale) / 2 + zoom.y * height;
    return { scale, x, y };
  }

  scene(view, split) {
    const values = (names) => names.map(garmentValue);
    const chosen = { garments: values(this.fit.classes), fit: this.fit, slot: 0, fade: this.fade };
    const others = this.others.map((part) => ({ garments: values(part.garments), fit: part.fit, slot: part.tile }));
    const parts = this.bare || !this.hasTile ? others : [chosen, ...others];
    const dressed = this.canDress && parts.length > 0;
    return { ...this.size, view, split, parts, dressed, pxPerCm: this.pxPerCm, step: this.step };
  }

  render() {
    if (this.due) return;
    this.due = requestAnimationFrame((now) => {
      this.due = 0;
      this.pace(now);
      this.paint();
    });
  }

  /** Where frames come too slowly, draw fewer dots while things move and all of them when they rest. */
  pace(now) {
    const gap = now - (this.lastFrame ?? 0);
    this.lastFrame = now;
    this.slowFrames = gap > SLOW && gap < 250 ? (this.slowFrames ?? 0) + 1 : 0;
    if (this.slowFrames >= 3 && this.coarse === 1) this.sharpen(COARSE);
    clearTimeout(this.resting);
    if (this.coarse !== 1) this.resting = setTimeout(() => this.sharpen(1), 200);
  }

  sharpen(coarse) {
    this.coarse = coarse;
    this.slowFrames = 0;
    this.resize();
  }

  paint() {
    if (!this.size) return;
    const view = this.view();
    const left = view.x, wide = this.size.width * view.scale;
    const shownFrom = Math.max(0, left), shownTo = Math.min(this.canvas.width, left + wide);
    const at = shownFrom + this.split * (shownTo - shownFrom);
    const split = this.comparing ? this.canvas.width + 1 : this.split === 0 ? -1 : at;
    this.composite.draw(this.scene(view, split));
    this.handle?.style.setProperty("--at", `${at / this.ratio}px`);
    this.root.style.setProperty("--top", `${Math.max(0, view.y) / this.ratio}px`);
    this.root.style.setProperty("--bottom", `${Math.max(0, view.y) / this.ratio}px`);
    this.dispatchEvent(new Event("paint"));
  }

  startFade() {
    const begin = performance.now();
    this.fade = 0;
    const step = (now) => {
      this.fade = clamp((now - begin) / FADE, 0, 1);
      this.paint();
      if (this.fade < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  /** A small JPEG of the whole look as a data address, or null while nothing is shown. */
  thumbnail(longest = 176) {
    return this.snapshot(longest)?.canvas.toDataURL("image/jpeg", 0.8) ?? null;
  }

  /** The whole look, small: { canvas, ratio } (canvas pixels per picture pixel), or null while nothing is shown. */
  snapshot(longest) {
    if (!this.size) return null;
    const ratio = longest / Math.max(this.size.width, this.size.height);
    const small = document.createElement("canvas");
    small.width = Math.round(this.size.width * ratio);
    small.height = Math.round(this.size.height * ratio);
    const full = this.view(this.canvas.width, this.canvas.height, { by: 1, x: 0, y: 0 });
    this.composite.draw(this.scene(full, -1));
    small.getContext("2d").drawImage(
      this.canvas, full.x, full.y, this.size.width * full.scale, this.size.height * full.scale, 0, 0, small.width, small.height,
    );
    this.paint();
    return { canvas: small, ratio };
  }

  // ---- hands

  zoomBy(factor, clientX, clientY) {
    const box = this.canvas.getBoundingClientRect();
    const ax = clientX === undefined ? 0 : (clientX - box.left) / box.width - 0.5;
    const ay = clientY === undefined ? 0 : (clientY - box.top) / box.height - 0.5;
    const by = clamp(this.zoom.by * factor, 1, MAX_ZOOM);
    const real = by / this.zoom.by;
    this.zoom = { by, x: ax + (this.zoom.x - ax) * real, y: ay + (this.zoom.y - ay) * real };
    this.keepInside();
  }

  fitView() {
    this.zoom = { by: 1, x: 0, y: 0 };
    this.keepInside();
  }

  panBy(dx, dy) {
    this.zoom.x += dx / this.canvas.clientWidth;
    this.zoom.y += dy / this.canvas.clientHeight;
    this.keepInside();
  }

  keepInside() {
    const { scale } = this.view();
    const spareX = Math.max(0, (this.size.width * scale) / this.canvas.width - 1) / 2;
    const spareY = Math.max(0, (this.size.height * scale) / this.canvas.height - 1) / 2;
    this.zoom.x = clamp(this.zoom.x, -spareX, spareX);
    this.zoom.y = clamp(this.zoom.y, -spareY, spareY);
    this.render();
    this.dispatchEvent(new CustomEvent("view", { detail: this.zoom.by }));
  }

  /** Screen distance -> tile sides along the fabric's own axes. */
  toTiles(dx, dy, scale = this.fit.scale) {
    const turn = (this.fit.rotate * Math.PI) / 180;
    const per = this.ratio / (this.view().scale * this.pxPerCm * scale);
    return [(Math.cos(turn) * dx - Math.sin(turn) * dy) * per, (Math.sin(turn) * dx + Math.cos(turn) * dy) * per];
  }

  moveFabric(dx, dy) {
    const [u, v] = this.toTiles(dx, dy);
    this.change({ x: wrapOffset(this.fit.x + u), y: wrapOffset(this.fit.y + v) });
  }

  /** Scale about a point of the screen: the thread under the finger stays there. */
  scaleFabric(factor, clientX, clientY) {
    const scale = clamp(this.fit.scale * factor, ...SCALE);
    const box = this.canvas.getBoundingClientRect();
    const view = this.view();
    const dx = clientX - box.left - (view.x + (this.size.width * view.scale) / 2) / this.ratio;
    const dy = clientY - box.top - (view.y + (this.size.height * view.scale) / 2) / this.ratio;
    const [u0, v0] = this.toTiles(dx, dy);
    const [u1, v1] = this.toTiles(dx, dy, scale);
    this.change({ scale, x: wrapOffset(this.fit.x + u1 - u0), y: wrapOffset(this.fit.y + v1 - v0) });
  }

  change(fit) {
    this.setFit(fit);
    this.dispatchEvent(new CustomEvent("fit", { detail: this.fit }));
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.dispatchEvent(new Event("settle")), 350);
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.onDown(event));
    canvas.addEventListener("pointermove", (event) => this.onMove(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    }
    canvas.addEventListener("dblclick", (event) => {
      if (this.zoom.by > 1) this.fitView();
      else this.zoomBy(2.5, event.clientX, event.clientY);
    });
    canvas.addEventListener("keydown", (event) => this.onKey(event));
    canvas.addEventListener("webglcontextlost", () => this.dispatchEvent(new Event("lost")));
    if (this.handle) this.listenToHandle();
  }

  onWheel(event) {
    if (!this.size) return;
    event.preventDefault();
    const amount = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    const factor = Math.exp(-clamp(amount, -120, 120) / 500);
    if (event.ctrlKey || event.metaKey || this.bare) this.zoomBy(factor * factor, event.clientX, event.clientY);
    else this.scaleFabric(factor, event.clientX, event.clientY);
  }

  onDown(event) {
    if (!this.size || event.button > 1) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.steady = this.pointers.size === 1 ? { x: event.clientX, y: event.clientY } : null;
  }

  onMove(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    if (this.steady && Math.hypot(now.x - this.steady.x, now.y - this.steady.y) < SLACK) return;
    this.steady = null;
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, now);
    const dx = now.x - before.x, dy = now.y - before.y;
    if (other) {
      const reach = Math.hypot(now.x - other.x, now.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
      const middle = [(now.x + other.x) / 2, (now.y + other.y) / 2];
      if (this.bare) this.zoomBy(reach, ...middle);
      else this.scaleFabric(reach, ...middle);
      if (this.zoom.by > 1) this.panBy(dx / 2, dy / 2);
      return;
    }
    if (event.shiftKey || event.buttons === 4 || !this.canDress || this.bare) this.panBy(dx, dy);
    else this.moveFabric(dx, dy);
  }

  onKey(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (steps) {
      event.preventDefault();
      if (this.bare) this.panBy(-16 * steps[0], -16 * steps[1]);
      else this.moveFabric(8 * steps[0], 8 * steps[1]);
    } else if (event.key === "+" || event.key === "=") this.zoomBy(1.25);
    else if (event.key === "-") this.zoomBy(0.8);
    else if (event.key === "0") this.fitView();
  }

  listenToHandle() {
    const { handle } = this;
    const say = () => handle.setAttribute("aria-valuenow", String(Math.round(this.split * 100)));
    const follow = (event) => {
      const box = this.canvas.getBoundingClientRect();
      const view = this.view();
      const left = Math.max(0, view.x / this.ratio);
      const right = Math.min(box.width, (view.x + this.size.width * view.scale) / this.ratio);
      this.setSplit((event.clientX - box.left - left) / Math.max(1, right - left));
      say();
    };
    handle.addEventListener("pointerdown", (event) => {
      if (!this.size) return;
      handle.setPointerCapture(event.pointerId);
      event.preventDefault();
      handle.focus({ preventScroll: true });
    });
    handle.addEventListener("pointermove", (event) => handle.hasPointerCapture(event.pointerId) && follow(event));
    handle.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: this.split - 0.05, ArrowRight: this.split + 0.05, Home: 0, End: 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.setSplit(to);
      say();
    });
  }
}
