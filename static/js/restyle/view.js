// Where the picture lies on the table: zoom and pan as one CSS transform, so that moving it redraws nothing.

const MOST = 16;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export class View extends EventTarget {
  /** `frame`: what it is seen through; `sheet`: what moves.  Says "view" when it moved. */
  constructor(frame, sheet) {
    super();
    this.frame = frame;
    this.sheet = sheet;
    this.size = null;
    this.by = 1;
    this.x = 0;
    this.y = 0;
    new ResizeObserver(() => this.settle()).observe(frame);
  }

  /** The sheet's own size in pixels; seen whole. */
  fit(width, height) {
    this.size = { width, height };
    this.sheet.style.width = `${width}px`;
    this.sheet.style.height = `${height}px`;
    this.whole();
  }

  /** Screen pixels per pixel of the sheet. */
  get scale() {
    const { clientWidth, clientHeight } = this.frame;
    return Math.min(clientWidth / this.size.width, clientHeight / this.size.height) * this.by;
  }

  whole() {
    this.by = 1;
    this.x = this.y = 0;
    this.settle();
  }

  /** Closer by `factor`, with the point of the screen kept under the finger. */
  zoom(factor, clientX, clientY) {
    if (!this.size) return;
    const box = this.frame.getBoundingClientRect();
    const ax = clientX === undefined ? 0 : clientX - box.left - box.width / 2;
    const ay = clientY === undefined ? 0 : clientY - box.top - box.height / 2;
    const by = clamp(this.by * factor, 1, MOST);
    const real = by / this.by;
    this.by = by;
    this.x = ax + (this.x - ax) * real;
    this.y = ay + (this.y - ay) * real;
    this.settle();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.settle();
  }

  /** Never lose the picture: no gap inside while it is larger than the frame, centred while it is smaller. */
  settle() {
    if (!this.size) return;
    const { clientWidth, clientHeight } = this.frame;
    const { scale } = this;
    const spareX = Math.max(0, this.size.width * scale - clientWidth) / 2;
    const spareY = Math.max(0, this.size.height * scale - clientHeight) / 2;
    this.x = clamp(this.x, -spareX, spareX);
    this.y = clamp(this.y, -spareY, spareY);
    this.left = (clientWidth - this.size.width * scale) / 2 + this.x;
    this.top = (clientHeight - this.size.height * scale) / 2 + this.y;
    this.sheet.style.transform = `translate(${this.left}px, ${this.top}px) scale(${scale})`;
    this.dispatchEvent(new Event("view"));
  }

  /** A point of the screen in pixels of the sheet. */
  at(clientX, clientY) {
    const box = this.frame.getBoundingClientRect();
    return { x: (clientX - box.left - this.left) / this.scale, y: (clientY - box.top - this.top) / this.scale };
  }

  /** A point of the sheet in pixels of the frame. */
  on({ x, y }) {
    return { x: this.left + x * this.scale, y: this.top + y * this.scale };
  }
}
