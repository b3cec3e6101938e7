// One picture large, the original under it and a line between: before and after.

import { fill, gettext } from "../words.js";

export class Full extends EventTarget {
  /** `dialog`, and `grid` whose `.shown[data-full]` links are shown.  Says "again" with the seed. */
  constructor(dialog, grid, remove) {
    super();
    this.dialog = dialog;
    this.grid = grid;
    this.compared = dialog.querySelector("[data-compared]");
    this.slide = dialog.querySelector("[data-slide]");
    this.slide.addEventListener("input", () => this.split(Number(this.slide.value)));
    dialog.querySelector("[data-again-full]").addEventListener("click", () => {
      dialog.close();
      this.dispatchEvent(new CustomEvent("again", { detail: this.link.dataset.seed }));
    });
    dialog.querySelector("[data-remove]").addEventListener("click", (event) => {
      event.preventDefault();
      remove(this.link.dataset.remove);
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
      const turn = event.target.closest("[data-turn]");
      if (turn) this.turn(Number(turn.dataset.turn));
    });
    dialog.addEventListener("keydown", (event) => this.onKey(event));
    dialog.addEventListener("close", () => this.back?.focus());
  }

  get links() {
    return [...this.grid.querySelectorAll(".shown[data-full]")];
  }

  open(link) {
    this.back = link;
    this.show(link);
    this.dialog.showModal();
  }

  show(link) {
    this.link = link;
    const original = link.hasAttribute("data-original");
    const find = (name) => this.dialog.querySelector(`[data-${name}]`);
    const before = this.grid.querySelector("[data-original]");
    find("before").src = before.dataset.full;
    find("after").src = link.dataset.full;
    find("after").alt = link.querySelector("img").alt;
    this.compared.toggleAttribute("data-alone", original);
    this.compared.style.setProperty("--ratio", getComputedStyle(this.grid.querySelector(".batch")).getPropertyValue("--ratio"));
    find("caption").textContent = original ? gettext("The original") : fill(gettext("Variation {name}, seed {seed}"), { name: link.dataset.name, seed: link.dataset.seed });
    find("for-made").hidden = original;
    this.slide.hidden = original;
    if (!original) this.wire(link, find);
    this.split(Number(this.slide.value));
    this.dialog.toggleAttribute("data-single", this.links.length < 2);
  }

  wire(link, find) {
    find("download").href = `${link.dataset.full}?download`;
    find("use").href = link.dataset.use;
    find("page").href = link.href;
    find("remove").href = link.dataset.remove;
    const form = this.dialog.querySelector("form[data-publish]");
    const isPublic = link.hasAttribute("data-public");
    form.action = link.dataset.publish;
    form.elements.public.disabled = isPublic;
    form.querySelector("button").textContent = isPublic ? gettext("Make it private") : gettext("Publish");
  }

  split(percent) {
    this.compared.style.setProperty("--at", `${percent}%`);
  }

  turn(by) {
    const { links } = this;
    const at = links.findIndex((link) => link.id === this.link.id);
    const next = links[(at + by + links.length) % links.length];
    this.back = next;
    this.show(next);
  }

  onKey(event) {
    if (event.target === this.slide || event.altKey || event.ctrlKey || event.metaKey) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) this.turn(by);
    else if (event.key.toLowerCase() === "d" && !this.dialog.querySelector("[data-for-made]").hidden) this.dialog.querySelector("[data-download]").click();
  }
}
