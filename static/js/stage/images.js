// Pictures as raw values: no colour management, no premultiplied alpha, one download per address.

const RAW = { premultiplyAlpha: "none", colorSpaceConversion: "none" };
const KEPT = 48;
const bitmaps = new Map();

async function download(url) {
  const answer = await fetch(url, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return createImageBitmap(await answer.blob(), RAW);
}

/** The picture at `url` as an ImageBitmap; the most recent ones are kept. */
export function bitmap(url) {
  let promise = bitmaps.get(url);
  if (promise) {
    bitmaps.delete(url);
  } else {
    promise = download(url);
    promise.catch(() => bitmaps.delete(url));
  }
  bitmaps.set(url, promise);
  if (bitmaps.size > KEPT) bitmaps.delete(bitmaps.keys().next().value);
  return promise;
}

/** RGBA bytes of a bitmap or canvas, optionally resized. */
export function pixels(source, width = source.width, height = source.height, smooth = true) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.imageSmoothingEnabled = smooth;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(source, 0, 0, width, height);
  return pen.getImageData(0, 0, width, height);
}

/** Ink coverage (K planes stacked in one grey picture) and a palette -> a tile, exactly as the server composes it. */
export function compose(inks, palette) {
  const { width, data, height: stacked } = pixels(inks);
  const size = width;
  const count = Math.round(stacked / size);
  const colours = palette.slice(0, count).map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  const tile = new ImageData(size, size);
  const plane = size * size;
  for (let at = 0; at < plane; at += 1) {
    let red = 0, green = 0, blue = 0, total = 0;
    for (let ink = 0; ink < count; ink += 1) {
      const cover = data[4 * (ink * plane + at)];
      const colour = colours[ink];
      red += cover * colour[0];
      green += cover * colour[1];
      blue += cover * colour[2];
      total += cover;
    }
    const share = total ? 1 / total : 0;
    tile.data[4 * at] = red * share + 0.5;
    tile.data[4 * at + 1] = green * share + 0.5;
    tile.data[4 * at + 2] = blue * share + 0.5;
    tile.data[4 * at + 3] = 255;
  }
  return tile;
}
