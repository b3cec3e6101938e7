// The mask as a plane of bytes: 0 keeps the photo, 255 repaints it.  Pure numbers: no page, no canvas.
// A box is { left, top, right, bottom } in pixels, right and bottom just outside.

const FAINT = 8;

export class Plane {
  constructor(width, height, data = new Uint8Array(width * height)) {
    this.width = width;
    this.height = height;
    this.data = data;
  }

  get whole() {
    return { left: 0, top: 0, right: this.width, bottom: this.height };
  }

  /** Nothing is marked that one could see. */
  get empty() {
    const { data } = this;
    for (let at = 0; at < data.length; at += 1) if (data[at] > FAINT) return false;
    return true;
  }

  cut(box) {
    const wide = box.right - box.left;
    const piece = new Uint8Array(wide * (box.bottom - box.top));
    for (let y = box.top, at = 0; y < box.bottom; y += 1, at += wide) {
      piece.set(this.data.subarray(y * this.width + box.left, y * this.width + box.right), at);
    }
    return piece;
  }

  paste(piece, box) {
    const wide = box.right - box.left;
    for (let y = box.top, at = 0; y < box.bottom; y += 1, at += wide) {
      this.data.set(piece.subarray(at, at + wide), y * this.width + box.left);
    }
  }

  /** The smallest box that holds everything marked, or null. */
  extent() {
    const { width, height, data } = this;
    const box = { left: width, top: height, right: 0, bottom: 0 };
    for (let y = 0; y < height; y += 1) {
      const row = data.subarray(y * width, (y + 1) * width);
      const first = row.findIndex((value) => value > 0);
      if (first < 0) continue;
      let last = width - 1;
      while (!row[last]) last -= 1;
      box.left = Math.min(box.left, first);
      box.right = Math.max(box.right, last + 1);
      box.top = Math.min(box.top, y);
      box.bottom = y + 1;
    }
    return box.right ? box : null;
  }
}

export function union(one, two) {
  if (!one || !two) return one ?? two;
  return {
    left: Math.min(one.left, two.left),
    top: Math.min(one.top, two.top),
    right: Math.max(one.right, two.right),
    bottom: Math.max(one.bottom, two.bottom),
  };
}

/** `box` made larger by `margin` on every side, within the plane. */
export function around(plane, box, margin) {
  return {
    left: Math.max(0, Math.floor(box.left - margin)),
    top: Math.max(0, Math.floor(box.top - margin)),
    right: Math.min(plane.width, Math.ceil(box.right + margin)),
    bottom: Math.min(plane.height, Math.ceil(box.bottom + margin)),
  };
}
