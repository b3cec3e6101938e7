// The mask as it is seen: a translucent wash of the accent colour with chalk lines through it and a firm edge, drawn
// into a canvas of the plane's own size, only where something changed.

import { around } from "./plane.js";

const WASH = 0.4;
const CHALK = 0.68;
const EDGE = 0.95;

export class Wash {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.due = null;
  }

  fit(plane) {
    this.canvas.width = plane.width;
    this.canvas.height = plane.height;
    this.gap = Math.max(10, Math.round(Math.max(plane.width, plane.height) / 80));
    this.line = Math.max(1, Math.round(this.gap / 9));
    this.colour = accent(this.canvas);
  }

  /** Draw `box` of `plane` anew, the edge of its neighbours included. */
  draw(plane, box) {
    const { left, top, right, bottom } = around(plane, box, this.line);
    if (right <= left || bottom <= top) return;
    const picture = this.pen.createImageData(right - left, bottom - top);
    const words = new Uint32Array(picture.data.buffer);
    const [red, green, blue] = this.colour;
    const paint = (blue << 16) | (green << 8) | red;
    const { data, width } = plane;
    for (let y = top, to = 0; y < bottom; y += 1) {
      for (let x = left, at = y * width + left; x < right; x += 1, at += 1, to += 1) {
        const value = data[at];
        if (!value) continue;
        const share = this.onEdge(plane, x, y, at) ? EDGE : (x + y) % this.gap < this.line ? CHALK : WASH;
        words[to] = ((share * value) << 24) | paint;
      }
    }
    this.pen.putImageData(picture, left, top);
  }

  /** Inside the mask, with the outside one line's breadth away; the picture's own border is no edge. */
  onEdge({ data, width, height }, x, y, at) {
    const by = this.line;
    if (data[at] < 128) return false;
    return (
      (x >= by && data[at - by] < 128) || (x < width - by && data[at + by] < 128)
      || (y >= by && data[at - by * width] < 128) || (y < height - by && data[at + by * width] < 128)
    );
  }
}

/** The page's accent as three bytes. */
function accent(element) {
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  pen.fillStyle = getComputedStyle(element).getPropertyValue("--madder").trim() || "red";
  pen.fillRect(0, 0, 1, 1);
  return pen.getImageData(0, 0, 1, 1).data;
}
