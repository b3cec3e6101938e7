// The same look without WebGL: plain arithmetic on a small picture while things move, on the whole picture when they rest.

import { pixels } from "./images.js";

const MOVING = 380;
const RESTING = 900;
const PAUSE = 160;

const LINEAR = Float32Array.from({ length: 256 }, (_, value) => {
  const x = value / 255;
  return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
});
const STEPS = 4096;
const SRGB = Uint8ClampedArray.from({ length: STEPS + 1 }, (_, step) => {
  const x = step / STEPS;
  return 255 * (x <= 0.0031308 ? x * 12.92 : 1.055 * x ** (1 / 2.4) - 0.055) + 0.5;
});

const shoulder = (x) => (x < 0.8 ? x : 0.8 + 0.2 * (1 - Math.exp(-(x - 0.8) / 0.2)));
const wrap = (x) => x - Math.floor(x);

/** Linear-light copies of the tile, each half the side of the one before. */
function pyramid(image) {
  let { width: size, data } = image;
  let level = new Float32Array(size * size * 3);
  for (let at = 0; at < size * size; at += 1) {
    for (let band = 0; band < 3; band += 1) level[3 * at + band] = LINEAR[data[4 * at + band]];
  }
  const levels = [{ size, values: level }];
  while (size > 1 && size % 2 === 0) {
    const half = size / 2;
    const next = new Float32Array(half * half * 3);
    for (let y = 0; y < half; y += 1) {
      for (let x = 0; x < half; x += 1) {
        for (let band = 0; band < 3; band += 1) {
          const at = 3 * (2 * y * size + 2 * x) + band;
          next[3 * (y * half + x) + band] = (level[at] + level[at + 3] + level[at + 3 * size] + level[at + 3 * size + 3]) / 4;
        }
      }
    }
    levels.push({ size: half, values: next });
    size = half;
    level = next;
  }
  return levels;
}

/** Draws scenes on a canvas with the CPU; they are those of GLComposite. */
export class FlatComposite {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.kind = "2d";
    this.layers = new Map();
    this.fabrics = new Map();
    this.rest = 0;
  }

  wearable(photo, maps, mask) {
    this.sources = { photo, maps, mask };
    this.bent = Boolean(maps) && maps.height === photo.height;
    this.layers.clear();
  }

  tile(source, slot = 0) {
    this.fabrics.set(slot, pyramid(source instanceof ImageData ? source : pixels(source)));
  }

  only(slots) {
    for (const slot of this.fabrics.keys()) if (!slots.includes(slot)) this.fabrics.delete(slot);
  }

  /** The picture's layers at a size: what the maps say of each pixel, read where its middle lies. */
  sized(longest) {
    const { photo, maps, mask } = this.sources;
    const ratio = Math.min(1, longest / Math.max(photo.width, photo.height));
    const width = Math.max(1, Math.round(photo.width * ratio));
    const height = Math.max(1, Math.round(photo.height * ratio));
    const key = `${width}x${height}`;
    if (!this.layers.has(key)) {
      const layer = { width, height, ratio, photo: pixels(photo, width, height).data };
      if (maps) Object.assign(layer, { maps: this.told(maps, photo, width, height), mask: pixels(mask, width, height, false).data });
      this.layers.set(key, layer);
    }
    return this.layers.get(key);
  }

  /** For each pixel: u and v (pixels of the picture where the maps are old), shading, what is behind (RGB), and -1 where
   * mirrored pairs turn u over. */
  told(maps, photo, width, height) {
    const { data } = pixels(maps);
    const wide = photo.width, tall = photo.height;
    const plane = 4 * wide * tall;
    const result = new Float32Array(7 * width * height);
    const reach = (0.02 * Math.max(wide, tall)) / 127;
    for (let y = 0, to = 0; y < height; y += 1) {
      const row = Math.min(tall - 1, Math.floor(((y + 0.5) * tall) / height));
      for (let x = 0; x < width; x += 1, to += 7) {
        const column = Math.min(wide - 1, Math.floor(((x + 0.5) * wide) / width));
        const at = 4 * (row * wide + column);
        if (this.bent) {
          result[to] = column + 0.5 + (data[at + 1] - 128) * reach - wide / 2;
          result[to + 1] = row + 0.5 + (data[at + 2] - 128) * reach - tall / 2;
          result[to + 2] = 4 * (data[at] / 255) ** 2;
          continue;
        }
        result[to] = (256 * data[at] + data[at + 1] - 32768) / 50;
        result[to + 1] = (256 * data[at + plane] + data[at + plane + 1] - 32768) / 50;
        result[to + 2] = 4 * (data[at + 2] / 255) ** 2;
        result[to + 6] = data[at + plane + 2] > 127 ? -1 : 1;
        for (let band = 0; band < 3; band += 1) result[to + 3 + band] = LINEAR[data[at + 2 * plane + band]];
      }
    }
    return result;
  }

  dress(scene, longest) {
    const layer = this.sized(longest);
    const out = new ImageData(new Uint8ClampedArray(layer.photo), layer.width, layer.height);
    if (!scene.dressed || !layer.maps) return out;
    for (const part of scene.parts) this.wear(out, layer, scene.pxPerCm, part);
    return out;
  }

  /** Dress one part of the outfit. */
  wear(out, { width, height, ratio, photo, maps, mask }, pxPerCm, { garments, fit, slot }) {
    const levels = this.fabrics.get(slot ?? 0);
    if (!levels) return;
    const chosen = new Set(garments);
    const turn = (fit.rotate * Math.PI) / 180;
    const cos = Math.cos(turn), sin = Math.sin(turn);
    const step = 1 / ((this.bent ? pxPerCm : 1) * fit.scale);
    const texels = levels[0].size / (pxPerCm * ratio * fit.scale);
    const level = Math.min(levels.length - 1, Math.max(0, Math.round(Math.log2(Math.max(1, texels)))));
    const { size, values } = levels[level];
    for (let at = 0, from = 0; at < 4 * width * height; at += 4, from += 7) {
      const soft = mask[at] / 255;
      if (soft === 0 || (chosen.size && !chosen.has(Math.round(mask[at + 1] / (this.bent ? 32 : 2))))) continue;
      const cx = maps[from] * (fit.mirrored ? maps[from + 6] : 1) * step, cy = maps[from + 1] * step;
      let u = cos * cx - sin * cy - fit.x;
      let v = sin * cx + cos * cy - fit.y;
      if (fit.repeat === "half-drop") v += 0.5 * (((Math.floor(u) % 2) + 2) % 2);
      if (fit.repeat === "half-brick") u += 0.5 * (((Math.floor(v) % 2) + 2) % 2);
      if (fit.repeat === "third-drop") v -= Math.floor(u) / 3;
      if (fit.repeat === "ogee") {
        const column = Math.floor(2 * u) / 2;
        u -= column;
        v -= column;
      }
      if (fit.repeat === "mirror") u = 1 - Math.abs(u - 2 * Math.floor(u / 2) - 1);
      const fx = wrap(u) * size - 0.5, fy = wrap(v) * size - 0.5;
      const x0 = Math.floor(fx), y0 = Math.floor(fy);
      const px = fx - x0, py = fy - y0;
      const left = (x0 + size) % size, right = (x0 + 1) % size;
      const top = ((y0 + size) % size) * size, bottom = ((y0 + 1) % size) * size;
      for (let band = 0; band < 3; band += 1) {
        const high = values[3 * (top + left) + band] * (1 - px) + values[3 * (top + right) + band] * px;
        const low = values[3 * (bottom + left) + band] * (1 - px) + values[3 * (bottom + right) + band] * px;
        const worn = shoulder((high * (1 - py) + low * py) * maps[from + 2]);
        const before = LINEAR[photo[at + band]];
        const behind = this.bent ? before : maps[from + 3 + band];
        const full = behind + (worn - behind) * soft;
        out.data[at + band] = SRGB[Math.min(STEPS, Math.round((before + (full - before) * fit.strength) * STEPS))];
      }
    }
  }

  paint(scene, longest) {
    const { view } = scene;
    const dressed = this.dress(scene, longest);
    const sheet = document.createElement("canvas");
    sheet.width = dressed.width;
    sheet.height = dressed.height;
    sheet.getContext("2d").putImageData(dressed, 0, 0);
    const { pen, canvas } = this;
    const wide = scene.width * view.scale, tall = scene.height * view.scale;
    pen.imageSmoothingQuality = "high";
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(sheet, view.x, view.y, wide, tall);
    if (scene.split <= view.x) return;
    pen.save();
    pen.beginPath();
    pen.rect(0, 0, scene.split, canvas.height);
    pen.clip();
    pen.drawImage(this.sources.photo, view.x, view.y, wide, tall);
    pen.restore();
  }

  draw(scene) {
    if (!this.sources) return;
    clearTimeout(this.rest);
    this.paint(scene, MOVING);
    this.rest = setTimeout(() => this.paint(scene, RESTING), PAUSE);
  }
}
