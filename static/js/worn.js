// The page of a fabric shows it worn on the garments of the house: composited here, one after another, as they come in sight.

import { FlatComposite } from "./stage/composite_2d.js";
import { bitmap } from "./stage/images.js";

const SIDE = 420;
const USUAL_CM = 18;

const section = document.querySelector("[data-worn]");

async function dress(canvas) {
  const { photo, maps, mask, pxPerCm } = canvas.dataset;
  const [tile, ...layers] = await Promise.all([section.dataset.tile, photo, maps, mask].map(bitmap));
  const composite = new FlatComposite(canvas);
  composite.wearable(...layers);
  composite.tile(tile);
  const fit = { scale: USUAL_CM, rotate: 0, x: 0, y: 0, repeat: "basic", strength: 1 };
  const worn = composite.dress({ dressed: true, pxPerCm: Number(pxPerCm) || 1, parts: [{ garments: [], fit, slot: 0 }] }, SIDE);
  canvas.width = worn.width;
  canvas.height = worn.height;
  canvas.getContext("2d").putImageData(worn, 0, 0);
  canvas.dataset.state = "ready";
}

const rest = () => new Promise((done) => setTimeout(done));
let turn = Promise.resolve();
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    turn = turn.then(() => dress(target)).catch(() => (target.dataset.state = "away")).then(rest);
  }
}, { rootMargin: "200px" });

for (const canvas of section?.querySelectorAll("canvas") ?? []) seen.observe(canvas);
