// The variations that are being made, and their previews.

export class Grid {
  constructor(root) {
    this.root = root;
    root.addEventListener("load", (event) => event.target.matches("[data-preview]") && this.slice(), true);
    root.addEventListener("htmx:afterSwap", () => this.slice());
    this.slice();
  }

  get batch() {
    return this.root.querySelector(".batch");
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
