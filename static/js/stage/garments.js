// The garments of a photo, read from the preview's mask: which one lies where, its outline and its box.
// Names are those of the server: "top", and from the second of a class on "top-2".

import { pixels } from "./images.js";

const CLASSES = ["background", "top", "outerwear", "dress", "skirt", "trousers", "other", "skin"];
const LONGEST = 640;

/** The value of a garment in a class map: "top" 1, the second top "top-2" 9. */
export function garmentValue(name) {
  const [kind, number] = name.split("-");
  return CLASSES.indexOf(kind) + CLASSES.length * (Number(number ?? 1) - 1);
}

export class Garments {
  /** `mask`: the preview's mask as a bitmap, `step`: what its second channel holds for a value of one. */
  constructor(mask, step, names) {
    this.names = names;
    this.ratio = Math.min(1, LONGEST / Math.max(mask.width, mask.height));
    this.width = Math.max(1, Math.round(mask.width * this.ratio));
    this.height = Math.max(1, Math.round(mask.height * this.ratio));
    const { data } = pixels(mask, this.width, this.height, false);
    const known = new Map(names.map((name, at) => [garmentValue(name), at + 1]));
    /** For each pixel the number of its garment in `names`, from one on; 0 is none. */
    this.owners = new Uint8Array(this.width * this.height);
    for (let at = 0; at < this.owners.length; at += 1) {
      if (data[4 * at] > 127) this.owners[at] = known.get(Math.round(data[4 * at + 1] / step)) ?? 0;
    }
    this.outlines = new Map();
  }

  /** The garment at a point of the picture, or undefined. */
  at(x, y) {
    const column = Math.floor(x * this.ratio), row = Math.floor(y * this.ratio);
    if (column < 0 || row < 0 || column >= this.width || row >= this.height) return undefined;
    return this.names[this.owners[row * this.width + column] - 1];
  }

  /** Where a garment lies: { left, top, right, bottom } in picture pixels, or null where nothing of it is seen. */
  box(name) {
    const number = this.names.indexOf(name) + 1;
    let left = this.width, top = this.height, right = -1, bottom = -1;
    for (let y = 0, at = 0; y < this.height; y += 1) {
      for (let x = 0; x < this.width; x += 1, at += 1) {
        if (this.owners[at] !== number) continue;
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = y;
      }
    }
    if (right < 0) return null;
    const by = 1 / this.ratio;
    return { left: left * by, top: top * by, right: (right + 1) * by, bottom: (bottom + 1) * by };
  }

  /** The edge of a garment as the `d` of an SVG path in picture pixels (marching squares: corners are cut). */
  outline(name) {
    if (!this.outlines.has(name)) this.outlines.set(name, this.trace(this.names.indexOf(name) + 1));
    return this.outlines.get(name);
  }

  trace(number) {
    const { width, height, owners } = this;
    const path = [];
    const by = 1 / this.ratio;
    const is = (x, y) => (x >= 0 && y >= 0 && x < width && y < height && owners[y * width + x] === number ? 1 : 0);
    const put = (value) => Math.round((value + 0.5) * by * 10) / 10;
    const line = (x0, y0, x1, y1) => path.push(`M${put(x0)} ${put(y0)}L${put(x1)} ${put(y1)}`);
    for (let y = -1; y < height; y += 1) {
      for (let x = -1; x < width; x += 1) {
        const kind = is(x, y) | (is(x + 1, y) << 1) | (is(x + 1, y + 1) << 2) | (is(x, y + 1) << 3);
        if (kind === 0 || kind === 15) continue;
        const above = [x + 0.5, y], right = [x + 1, y + 0.5], below = [x + 0.5, y + 1], left = [x, y + 0.5];
        const ends = EDGES[kind].map((side) => ({ above, right, below, left })[side]);
        for (let at = 0; at < ends.length; at += 2) line(...ends[at], ...ends[at + 1]);
      }
    }
    return path.join("");
  }
}

const EDGES = {
  1: ["left", "above"], 2: ["above", "right"], 3: ["left", "right"], 4: ["right", "below"],
  5: ["left", "above", "right", "below"], 6: ["above", "below"], 7: ["left", "below"], 8: ["below", "left"],
  9: ["above", "below"], 10: ["above", "right", "below", "left"], 11: ["right", "below"], 12: ["left", "right"],
  13: ["above", "right"], 14: ["left", "above"],
};
