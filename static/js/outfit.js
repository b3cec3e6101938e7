// An outfit: which garments of the picture wear which fabric, and how.
//
// A look is { pattern, bare, fit, others }: `fit.garments` are the chosen garments (none: all of them), which wear
// `pattern`, or nothing while `bare`; `others` are the other parts, { garments, pattern, fit }.  Everything here that is
// not a class makes a new look of an old one and changes nothing.

import { fill, gettext } from "./words.js";

export const USUAL = { scale_cm: 18, rotate: 0, offset_x: 0, offset_y: 0, repeat: "basic", strength: 1, mirrored: 0 };

const WORDS = { outerwear: "jacket", other: "other cloth" };
const NUMBERS = ["", "", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

/** What people call a garment: "outerwear" is a jacket, "top-2" the second top. */
export function plainWords(name) {
  const [kind, number] = name.split("-");
  const word = gettext(WORDS[kind] ?? kind);
  return number ? fill(gettext(`${NUMBERS[number] ?? `${number}th`} {garment}`), { garment: word }) : word;
}

const fitOf = (fit) => Object.fromEntries(Object.entries(USUAL).map(([name, usual]) => [name, fit[name] ?? usual]));

/** Every part that wears something, the chosen garments first; `all` are the garments of the picture. */
export function partsOf({ pattern, bare, fit, others }, all) {
  const garments = fit.garments.length ? fit.garments : all;
  const chosen = bare || !pattern ? [] : [{ garments, pattern, fit: fitOf(fit) }];
  return [...chosen, ...others];
}

const without = (parts, name) =>
  parts.map((part) => ({ ...part, garments: part.garments.filter((one) => one !== name) })).filter((part) => part.garments.length);

/** `name` alone is chosen, with what it wears; everything else goes on wearing what it wears. */
export function choose(look, name, all) {
  const parts = partsOf(look, all);
  const mine = parts.find((part) => part.garments.includes(name));
  return {
    pattern: mine?.pattern ?? look.pattern,
    bare: !mine,
    fit: { ...USUAL, ...mine?.fit, garments: [name] },
    others: without(parts, name),
  };
}

/** The chosen garments as they were photographed. */
export const takeOff = (look, all) => ({ ...look, bare: true, fit: { ...look.fit, garments: look.fit.garments.length ? look.fit.garments : all } });

/** Every garment wears the fabric of the chosen ones, as they wear it. */
export const everything = (look) => ({ ...look, bare: false, fit: { ...look.fit, garments: [] }, others: [] });

/** The garments that are still there, after the picture's garments were found anew. */
export function keepOnly(look, all) {
  const stays = (garments) => garments.filter((name) => all.includes(name));
  const others = look.others.map((part) => ({ ...part, garments: stays(part.garments) })).filter((part) => part.garments.length);
  const chosen = stays(look.fit.garments);
  const lost = look.fit.garments.length && !chosen.length;
  return { ...look, bare: look.bare || Boolean(lost), fit: { ...look.fit, garments: lost ? all.slice(0, 1) : chosen }, others: lost ? without(others, all[0]) : others };
}

/** A part as an address and a form tell it; studio/outfits.py reads it. */
export function wearWords({ garments, pattern, fit }) {
  const words = Object.entries(USUAL).map(([name, usual]) => {
    const value = name === "repeat" ? fit[name] : Math.round(Number(fit[name]) * 1000) / 1000;
    return value === usual ? "" : String(value);
  });
  while (words.length && !words.at(-1)) words.pop();
  return [garments.join("*"), pattern.id.replaceAll("-", ""), ...words].join("_");
}

/** What is worn, in words: "jacket in floral in red, skirt as photographed". */
export function said(look, all) {
  const parts = partsOf(look, all);
  return all.map((name) => {
    const part = parts.find((one) => one.garments.includes(name));
    const garment = plainWords(name);
    if (!part) return fill(gettext("{garment} as photographed"), { garment });
    return fill(gettext("{garment} in {fabric}"), { garment, fabric: (part.pattern.title ?? gettext(part.pattern.type)).toLowerCase() });
  }).join(", ");
}

const SIDE = 44;

/** The row of garments below the stage's picture, each with a small picture of it. */
export class Chips extends EventTarget {
  /** `root`: the element that holds them.  Says "choose" and "point" (detail: a garment), "everything", "takeoff". */
  constructor(root) {
    super();
    this.root = root;
    this.list = root.querySelector("[data-chips]");
    const tell = (kind, detail) => this.dispatchEvent(new CustomEvent(kind, { detail }));
    const named = (event) => event.target.closest("[data-garment]")?.dataset.garment;
    this.list.addEventListener("click", (event) => named(event) && tell("choose", named(event)));
    for (const kind of ["pointerover", "focusin"]) this.list.addEventListener(kind, (event) => tell("point", named(event)));
    for (const kind of ["pointerleave", "focusout"]) this.list.addEventListener(kind, () => tell("point"));
    root.querySelector("[data-everything]").addEventListener("click", () => tell("everything"));
    root.querySelector("[data-take-off]").addEventListener("click", () => tell("takeoff"));
  }

  /** `shown`: whether there is anything to choose; `mendable`: whether edges can be mended. */
  draw(look, all, shown, mendable) {
    this.root.hidden = !shown;
    const names = [...this.list.querySelectorAll("[data-garment]")].map((button) => button.dataset.garment);
    if (names.join() !== all.join()) this.list.replaceChildren(...all.map(chip));
    const parts = partsOf(look, all);
    for (const button of this.list.querySelectorAll("[data-garment]")) {
      const name = button.dataset.garment;
      const part = parts.find((one) => one.garments.includes(name));
      const chosen = look.fit.garments.length ? look.fit.garments.includes(name) : true;
      button.setAttribute("aria-pressed", String(chosen));
      button.querySelector("small").textContent = part ? gettext(part.pattern.type) : gettext("as photographed");
    }
    this.root.querySelector("[data-everything]").hidden = all.length < 2;
    this.root.querySelector("[data-everything]").disabled = !look.pattern || (!look.bare && !look.fit.garments.length);
    this.root.querySelector("[data-take-off]").disabled = look.bare;
    this.root.querySelector("[data-mend]").hidden = !mendable;
  }

  /** Small pictures: each garment cut from `picture` (the whole look, { canvas, ratio }); `box(name)` tells where. */
  paint(picture, box) {
    for (const button of this.list.querySelectorAll("[data-garment]")) {
      const place = box(button.dataset.garment);
      if (!place || !picture) continue;
      const side = Math.max(place.right - place.left, place.bottom - place.top) * 1.1;
      const left = (place.left + place.right - side) / 2, top = (place.top + place.bottom - side) / 2;
      const canvas = Object.assign(document.createElement("canvas"), { width: 2 * SIDE, height: 2 * SIDE });
      const pen = canvas.getContext("2d");
      pen.imageSmoothingQuality = "high";
      pen.drawImage(picture.canvas, left * picture.ratio, top * picture.ratio, side * picture.ratio, side * picture.ratio, 0, 0, canvas.width, canvas.height);
      button.querySelector("img").src = canvas.toDataURL();
    }
  }
}

function chip(name) {
  const item = document.createElement("li");
  const button = Object.assign(document.createElement("button"), { type: "button", className: "garment" });
  button.dataset.garment = name;
  const picture = Object.assign(new Image(SIDE, SIDE), { alt: "" });
  const word = Object.assign(document.createElement("span"), { className: "word", textContent: plainWords(name) });
  button.append(picture, word, document.createElement("small"));
  item.append(button);
  return item;
}
