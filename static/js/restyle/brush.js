// A round brush on a plane.  A stroke takes the largest cover that any part of it gives a pixel, so going over the same
// place twice with a soft edge does not harden it.

import { around } from "./plane.js";

const smooth = (t) => t * t * (3 - 2 * t);

/**
 * Draw from one point to the next ({ x, y, radius } in pixels of the plane); radii blend along the way.
 * `softness` 0..1 is the share of the radius that fades out; `erase` takes away.  Returns the box that was touched.
 */
export function draw(plane, from, to, { softness = 0, erase = false } = {}) {
  const reach = Math.max(from.radius, to.radius) + 1;
  const box = around(
    plane,
    {
      left: Math.min(from.x, to.x),
      top: Math.min(from.y, to.y),
      right: Math.max(from.x, to.x) + 1,
      bottom: Math.max(from.y, to.y) + 1,
    },
    reach,
  );
  const dx = to.x - from.x, dy = to.y - from.y;
  const length = dx * dx + dy * dy || 1;
  for (let y = box.top; y < box.bottom; y += 1) {
    const py = y + 0.5 - from.y;
    for (let x = box.left, at = y * plane.width + x; x < box.right; x += 1, at += 1) {
      const px = x + 0.5 - from.x;
      const along = Math.min(1, Math.max(0, (px * dx + py * dy) / length));
      const radius = from.radius + (to.radius - from.radius) * along;
      const ox = px - along * dx, oy = py - along * dy;
      const far = ox * ox + oy * oy;
      if (far >= (radius + 0.5) * (radius + 0.5)) continue;
      const fade = Math.max(1, softness * radius);
      const inner = (radius + 0.5 - Math.sqrt(far)) / fade;
      const cover = inner >= 1 ? 255 : Math.round(255 * (softness ? smooth(inner) : inner));
      const old = plane.data[at];
      plane.data[at] = erase ? Math.min(old, 255 - cover) : Math.max(old, cover);
    }
  }
  return box;
}
