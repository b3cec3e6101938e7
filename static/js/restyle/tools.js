// The brush bar and the view's buttons: what acts on the mask, by hand or by key.

import { announce, say } from "../site.js";
import { bitmap } from "../stage/images.js";
import { gettext } from "../words.js";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const NEED_A_MASK = ["grow", "shrink", "feather", "clear", "export"];
const SAID = {
  undo: gettext("Undone"), redo: gettext("Done again"), grow: gettext("The mask has grown"), shrink: gettext("The mask has shrunk"),
  feather: gettext("The edge is softer"), invert: gettext("Inverted"), clear: gettext("Cleared"),
};
const RAW = { premultiplyAlpha: "none", colorSpaceConversion: "none" };

export class Tools {
  /** `table`: the editor's element; `cloth()`: address of the mask of all cloth. */
  constructor(editor, table, cloth) {
    this.editor = editor;
    this.cloth = cloth;
    this.sizer = $("#brush-size");
    this.peek = $("[data-peek]");
    this.listen(table);
  }

  listen(table) {
    const { editor, sizer, peek } = this;
    const softer = $("#brush-soft");
    sizer.addEventListener("input", () => this.resize(sizer.value));
    softer.addEventListener("input", () => editor.setBrush({ softness: Number(softer.value) }));
    $(".tools").addEventListener("click", (event) => this.onClick(event.target.closest("button")));
    $("#mask-file").addEventListener("change", (event) => this.open(event.target));
    table.addEventListener("click", (event) => this.zoom(event.target.closest("[data-zoom]")?.dataset.zoom));
    peek.addEventListener("pointerdown", () => this.compare(true));
    for (const end of ["pointerup", "pointercancel", "pointerleave", "blur"]) peek.addEventListener(end, () => this.compare(false));
    editor.addEventListener("view", ({ detail }) => ($("[data-zoom-word]").textContent = `${Math.round(detail * 100)} %`));
    editor.addEventListener("change", () => this.refresh());
  }

  onClick(button) {
    if (!button) return;
    if (button.dataset.tool) this.choose(button.dataset.tool);
    if (button.dataset.do) this.act(button.dataset.do);
    const menu = button.closest("details");
    if (menu) menu.open = false;
  }

  choose(name) {
    this.editor.setBrush({ erase: name === "erase" });
    for (const button of $$(".tools [data-tool]")) button.setAttribute("aria-pressed", String(button.dataset.tool === name));
  }

  resize(to) {
    this.sizer.value = to;
    this.editor.setBrush({ size: Number(this.sizer.value) });
  }

  larger() {
    const size = Number(this.sizer.value);
    this.resize(Math.max(size + 1, Math.round(size * 1.25)));
  }

  smaller() {
    this.resize(Math.round(Number(this.sizer.value) / 1.25));
  }

  act(what) {
    const { editor } = this;
    if (what === "import") $("#mask-file").click();
    else if (!editor.ready) return;
    else if (what === "export") this.save();
    else if (what === "cloth") this.addCloth();
    else {
      editor[what]();
      announce(SAID[what]);
    }
  }

  async addCloth() {
    try {
      this.editor.join(await bitmap(this.cloth()), "add");
    } catch {
      say(gettext("The mask could not be fetched. Check the connection; nothing of yours is lost."));
    }
  }

  async save() {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await this.editor.png()), download: "toile-mask.png" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  async open(input) {
    const [file] = input.files;
    input.value = "";
    if (!file || !this.editor.ready) return;
    try {
      this.editor.join(await createImageBitmap(file, RAW));
    } catch {
      say(gettext("This file is not a picture that can be a mask. The mask is as it was."));
    }
  }

  zoom(way) {
    const { view } = this.editor;
    if (way === "fit") view.whole();
    else if (way) view.zoom(way === "in" ? 1.5 : 1 / 1.5);
  }

  compare(on) {
    this.editor.compare(on);
    this.peek.setAttribute("aria-pressed", String(on));
  }

  refresh() {
    const { empty, history } = this.editor;
    for (const name of NEED_A_MASK) $(`[data-do='${name}']`).disabled = empty;
    $("[data-do='undo']").disabled = !history.canUndo;
    $("[data-do='redo']").disabled = !history.canRedo;
    $("[data-joins]").hidden = empty;
  }
}
