// Whole-mask operations: grow, shrink, feather, invert, and the meeting of two masks.  Each returns new bytes.

import { around } from "./plane.js";

/** Grown by about `radius` pixels in every direction: crosses and squares in turn make an octagon, near to a disc. */
export function grow(plane, radius) {
  return within(plane, radius + 1, (bytes, wide, high) => spread(bytes, wide, high, radius));
}

/** The same inwards; where the mask meets the edge of the picture it stays there. */
export function shrink(plane, radius) {
  return within(plane, 1, (bytes, wide, high) => turned(spread(turned(bytes), wide, high, radius)));
}

/** Softened by a bell of about `radius` pixels: three box blurs each way. */
export function feather(plane, radius) {
  const reach = Math.max(1, Math.round(radius / 1.7));
  return within(plane, 3 * reach + 1, (bytes, wide, high) => {
    let now = bytes;
    for (let pass = 0; pass < 3; pass += 1) {
      now = blur(now, high, wide, wide, 1, reach);
      now = blur(now, wide, high, 1, wide, reach);
    }
    return now;
  });
}

export function invert(plane) {
  return turned(plane.data);
}

/** How a new mask meets the one that is there. */
export const JOIN = {
  replace: (plane, other) => other.slice(),
  add: (plane, other) => plane.data.map((value, at) => Math.max(value, other[at])),
  take: (plane, other) => plane.data.map((value, at) => Math.min(value, 255 - other[at])),
};

const turned = (bytes) => bytes.map((value) => 255 - value);

/** The plane's bytes with `change` done to what is marked and `margin` pixels around it. */
function within(plane, margin, change) {
  const data = plane.data.slice();
  const extent = plane.extent();
  if (!extent) return data;
  const box = around(plane, extent, margin);
  const wide = box.right - box.left;
  const piece = change(plane.cut(box), wide, box.bottom - box.top);
  for (let y = box.top, at = 0; y < box.bottom; y += 1, at += wide) {
    data.set(piece.subarray(at, at + wide), y * plane.width + box.left);
  }
  return data;
}

function spread(bytes, wide, high, radius) {
  let now = bytes;
  for (let step = 0; step < Math.round(radius); step += 1) now = spreadOnce(now, wide, high, step % 2 === 1);
  return now;
}

/** One pixel outwards: the largest of a pixel and its four (a cross) or eight (a square) neighbours. */
function spreadOnce(from, wide, high, square) {
  const across = new Uint8Array(from.length);
  for (let y = 0; y < high; y += 1) {
    const end = (y + 1) * wide - 1;
    for (let at = y * wide; at <= end; at += 1) {
      const left = at > y * wide ? from[at - 1] : 0;
      const right = at < end ? from[at + 1] : 0;
      const most = left > right ? left : right;
      across[at] = most > from[at] ? most : from[at];
    }
  }
  const source = square ? across : from;
  const out = across.slice();
  const last = from.length - wide;
  for (let at = 0; at < from.length; at += 1) {
    const above = at >= wide ? source[at - wide] : 0;
    const below = at < last ? source[at + wide] : 0;
    const most = above > below ? above : below;
    if (most > out[at]) out[at] = most;
  }
  return out;
}

/** Mean over 2 reach + 1 pixels along each line; the border's value goes on outside. */
function blur(from, lines, count, lineStep, step, reach) {
  const out = new Uint8Array(from.length);
  const span = 2 * reach + 1;
  for (let line = 0; line < lines; line += 1) {
    const start = line * lineStep;
    const value = (at) => from[start + Math.min(count - 1, Math.max(0, at)) * step];
    let sum = 0;
    for (let at = -reach; at <= reach; at += 1) sum += value(at);
    for (let at = 0; at < count; at += 1) {
      out[start + at * step] = (sum / span + 0.5) | 0;
      sum += value(at + reach + 1) - value(at - reach);
    }
  }
  return out;
}
