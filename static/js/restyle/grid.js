// The variations: followed while they are made, put in place one by one, the keyboard's focus left where it is.

import { announce } from "../site.js";

const POLL = 700;

export class Grid extends EventTarget {
  /** Says "made" when a picture arrived. */
  constructor(root) {
    super();
    this.root = root;
    this.asking = false;
    setInterval(() => this.batch?.hasAttribute("data-follow") && this.follow(), POLL);
    root.addEventListener("load", (event) => event.target.matches("[data-preview]") && this.slice(), true);
    this.slice();
  }

  get batch() {
    return this.root.querySelector(".batch");
  }

  /** Ask how the batch stands and draw what changed. */
  async follow() {
    const { batch } = this;
    if (this.asking || document.hidden || !batch) return;
    this.asking = true;
    try {
      const answer = await fetch(batch.dataset.at, { headers: { "HX-Request": "true" } });
      if (answer.ok && this.batch === batch) this.redraw(new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".batch"));
    } catch {
      // The next look will tell; being offline is said once, elsewhere.
    } finally {
      this.asking = false;
    }
  }

  redraw(fresh) {
    const { batch } = this;
    const before = batch.querySelectorAll(".tile[data-state='done']").length;
    batch.toggleAttribute("data-follow", fresh.hasAttribute("data-follow"));
    this.swap(batch.querySelector("#batch-head"), fresh.querySelector("#batch-head"));
    const gone = new Set([...batch.querySelectorAll(".tile")].map((tile) => tile.id));
    for (const tile of [...fresh.querySelectorAll(".tile")]) {
      gone.delete(tile.id);
      this.swap(document.getElementById(tile.id), tile);
    }
    for (const id of gone) document.getElementById(id)?.remove();
    const notes = fresh.querySelector("#batch-notes");
    const old = batch.querySelector("#batch-notes");
    if (notes && old) this.swap(old, notes);
    else if (notes) batch.append(notes);
    this.slice();
    this.tell(batch.querySelectorAll(".tile[data-state='done']").length - before);
  }

  swap(old, fresh) {
    if (!old || old.outerHTML === fresh.outerHTML || same(old, fresh)) return;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    document.adoptNode(fresh);
    keepPreview(old, fresh);
    old.replaceWith(fresh);
    window.htmx.process(fresh);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  tell(more) {
    const stage = this.batch.querySelector("[data-say]");
    if (more > 0) {
      const made = this.batch.querySelectorAll(".tile[data-state='done']").length - 1;
      announce(`${made} ${made === 1 ? "variation is" : "variations are"} here`);
      this.dispatchEvent(new Event("made"));
    } else if (stage) announce(stage.dataset.say);
  }

  /** A preview may show several pictures side by side: each tile shows its own. */
  slice() {
    const previews = [...this.root.querySelectorAll("img[data-preview]")];
    previews.forEach((picture, place) => {
      const { naturalWidth: wide, naturalHeight: high } = picture;
      const many = previews.length > 1 && wide >= high * 1.8 && Math.round(wide / previews.length) * previews.length === wide;
      picture.classList.toggle("sliced", many);
      picture.style.setProperty("--slices", many ? previews.length : 1);
      picture.style.setProperty("--slice", many ? place : 0);
    });
  }
}

/** The preview that is seen stays until the next one is here: nothing flickers. */
function keepPreview(old, fresh) {
  const shown = old.querySelector("[data-preview]");
  const next = fresh.querySelector("[data-preview]");
  if (!shown || !next) return;
  const address = next.getAttribute("src");
  next.replaceWith(shown);
  shown.classList.toggle("later", next.classList.contains("later"));
  const coming = new Image();
  coming.addEventListener("load", () => (shown.src = address));
  coming.src = address;
}

/** Alike but for what this page itself has changed: previews wear their slices as a style. */
function same(old, fresh) {
  const plain = (tile) => {
    const copy = tile.cloneNode(true);
    for (const picture of copy.querySelectorAll("[data-preview]")) {
      picture.removeAttribute("style");
      picture.classList.remove("sliced");
    }
    for (const one of copy.querySelectorAll("[class='']")) one.removeAttribute("class");
    return copy.innerHTML.replace(/csrfmiddlewaretoken" value="[^"]*"/g, "") + copy.dataset.state;
  };
  return plain(old) === plain(fresh);
}
