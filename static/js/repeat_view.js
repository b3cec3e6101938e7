// The repeat studio: three by three repeats of the fabric, turned and shifted as it is worn, with a ruler in centimetres.

import { bitmap } from "./stage/images.js";
import { figure, fill, gettext } from "./words.js";

const ACROSS = 3;
const LENGTHS = [1, 2, 5, 10, 20, 50, 100];
const REACH = 5;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 0.02, LEAP = 0.1; // of a tile's side, the second with Shift

/** Where the copies of a tile lie, in tile sides; [x, y, the part of its width that is drawn, reflected]. */
export function copies(repeat) {
  const places = [];
  for (let column = -2 * REACH; column <= 2 * REACH; column += 1) {
    for (let row = -REACH; row <= REACH; row += 1) {
      if (repeat === "ogee") places.push([column / 2, row + (((column % 2) + 2) % 2) / 2, 0.5, false]);
      else if (Math.abs(column) > REACH) continue;
      else if (repeat === "half-brick") places.push([column + (((row % 2) + 2) % 2) / 2, row, 1, false]);
      else if (repeat === "half-drop") places.push([column, row + (((column % 2) + 2) % 2) / 2, 1, false]);
      else if (repeat === "third-drop") places.push([column, row + (((column % 3) + 3) % 3) / 3, 1, false]);
      else places.push([column, row, 1, repeat === "mirror" && column % 2 !== 0]);
    }
  }
  return places;
}

/** A round number of centimetres that takes at most a third of `width` pixels. */
export function roundLength(width, pxPerCm) {
  return LENGTHS.findLast((length) => length * pxPerCm <= width / 3) ?? LENGTHS[0];
}

/** Draws a ruler: `element` gets its length and says it. */
export function rule(element, width, pxPerCm) {
  if (!element || !(pxPerCm > 0)) return;
  const length = roundLength(width, pxPerCm);
  element.hidden = false;
  element.style.setProperty("--long", `${length * pxPerCm}px`);
  element.querySelector("span").textContent = `${figure(length)} cm`;
}

const short = (value) => figure(Math.round(value * 10) / 10);

/** "repeats every 24 × 24 cm, half-drop". */
export const saidSize = (fit) => fill(gettext("repeats every {size} × {size} cm, {repeat}"), { size: short(fit.scale_cm), repeat: gettext(fit.repeat) });

export class RepeatView extends EventTarget {
  /** `root` holds a canvas and a ruler.  Says "move" (detail: tile sides across and down) and "settle". */
  constructor(root) {
    super();
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.ruler = root.querySelector("[data-ruler]");
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.from = [event.clientX, event.clientY];
    });
    this.canvas.addEventListener("pointermove", (event) => this.canvas.hasPointerCapture(event.pointerId) && this.drag(event));
    this.canvas.addEventListener("pointerup", () => this.dispatchEvent(new Event("settle")));
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
    this.canvas.addEventListener("keyup", (event) => KEYS[event.key] && this.dispatchEvent(new Event("settle")));
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  get side() {
    return this.canvas.clientWidth / ACROSS;
  }

  drag(event) {
    const [x, y] = this.from;
    this.from = [event.clientX, event.clientY];
    this.moveBy((event.clientX - x) / this.side, (event.clientY - y) / this.side);
  }

  onKey(event) {
    const way = KEYS[event.key];
    if (!way) return;
    event.preventDefault();
    const step = event.shiftKey ? LEAP : STEP;
    this.moveBy(way[0] * step, way[1] * step);
  }

  /** The motifs go this way as one sees them, in tile sides. */
  moveBy(dx, dy) {
    const turn = (this.fit.rotate * Math.PI) / 180, cos = Math.cos(turn), sin = Math.sin(turn);
    this.dispatchEvent(new CustomEvent("move", { detail: [cos * dx - sin * dy, sin * dx + cos * dy] }));
  }

  /** The tile at `url`; a later one wins. */
  async show(url) {
    if (url === this.url) return;
    this.url = url;
    const picture = url ? await bitmap(url) : null;
    if (url !== this.url) return;
    this.picture = picture;
    this.draw();
  }

  wear(fit) {
    this.fit = fit;
    this.draw();
  }

  draw() {
    const { canvas, picture, fit } = this;
    if (!fit || !canvas.clientWidth) return;
    rule(this.ruler, canvas.clientWidth, this.side / fit.scale_cm);
    const dots = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = canvas.height = Math.round(canvas.clientWidth * dots);
    const pen = canvas.getContext("2d");
    if (!picture) return;
    const tile = canvas.width / ACROSS, turn = (fit.rotate * Math.PI) / 180;
    const cos = Math.cos(turn) * tile, sin = Math.sin(turn) * tile;
    pen.setTransform(cos, -sin, sin, cos, canvas.width / 2, canvas.height / 2);
    pen.translate(fit.offset_x - Math.round(fit.offset_x) - 0.5, fit.offset_y - Math.round(fit.offset_y) - 0.5);
    pen.imageSmoothingQuality = "high";
    const over = 0.75 / tile; // neighbours overlap by less than a dot, so that no line shows between them
    for (const [x, y, width, reflected] of copies(fit.repeat)) {
      pen.save();
      pen.translate(reflected ? x + 1 : x, y);
      if (reflected) pen.scale(-1, 1);
      pen.drawImage(picture, 0, 0, picture.width * width, picture.height, 0, 0, width + over, 1 + over);
      pen.restore();
    }
    pen.lineWidth = dots / tile;
    pen.setLineDash([4 * pen.lineWidth, 3 * pen.lineWidth]);
    for (const colour of ["rgb(255 255 255 / 0.8)", "rgb(0 0 0 / 0.6)"]) {
      pen.strokeStyle = colour;
      pen.strokeRect(0, 0, 1, 1);
      pen.lineDashOffset = 3.5 * pen.lineWidth;
    }
  }
}
