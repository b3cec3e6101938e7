// The strip of small looks: where one has been, kept in this browser for the person who is here.

const KEPT = 24;

function adopt(key, strayKey) {
  const stray = key !== strayKey && localStorage.getItem(strayKey);
  if (!stray) return;
  if (!localStorage.getItem(key)) localStorage.setItem(key, stray);
  localStorage.removeItem(strayKey);
}

/** The fabrics of a moment: of one that was kept before there were outfits, its only one. */
const fabrics = ({ pattern, bare, others = [] }) => [bare ? "" : pattern.id, ...others.map((part) => part.pattern.id)].sort().join();

export class Moments {
  /** `strip`: the element that shows them; `restore(moment)` is called when one is chosen. */
  constructor(strip, restore) {
    this.strip = strip;
    this.restore = restore;
    this.key = `toile:moments:${document.documentElement.dataset.person}`;
    adopt(this.key, "toile:moments:");
    this.list = this.read();
    this.draw();
  }

  read() {
    try {
      return JSON.parse(localStorage.getItem(this.key) ?? "[]");
    } catch {
      return [];
    }
  }

  write() {
    try {
      localStorage.setItem(this.key, JSON.stringify(this.list));
    } catch {
      this.list.length = Math.floor(this.list.length / 2);
    }
  }

  /** The newest moment of an outfit's fabrics on a picture takes the place of the one before. */
  keep(moment, thumb, alt) {
    if (!thumb) return;
    const same = (one) => fabrics(one) === fabrics(moment) && one.worn.id === moment.worn.id;
    this.list = [{ ...moment, thumb, alt }, ...this.list.filter((one) => !same(one))].slice(0, KEPT);
    this.write();
    this.draw();
  }

  draw() {
    for (const old of this.strip.querySelectorAll("button.moment")) old.remove();
    this.strip.querySelector("[data-none]")?.toggleAttribute("hidden", this.list.length > 0);
    const buttons = this.list.map((moment) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "moment";
      const picture = Object.assign(new Image(), { src: moment.thumb, alt: moment.alt, height: 64 });
      button.append(picture);
      button.addEventListener("click", () => this.restore(moment));
      return button;
    });
    this.strip.querySelector("h2").after(...buttons);
  }
}
