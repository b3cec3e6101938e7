// Mouse, touch and pen on the table.  One finger, the pen or the mouse paints; two fingers, the middle button or the
// wheel of a picture seen close move it.

const STILL = 5;
const SECOND_THOUGHT = 250;

export class Hands {
  /**
   * `frame`: what hears the events; `view`: what is moved; `stroke`: { begin(point), go(points), end(), drop() } with
   * points { x, y, pressure, turned } of the sheet, `turned` with Alt or Shift; `ring(point | null)`: where the brush hovers, in the frame.
   */
  constructor(frame, view, stroke, ring) {
    Object.assign(this, { frame, view, stroke, ring });
    this.pointers = new Map();
    this.painting = null;
    frame.addEventListener("pointerdown", (event) => this.down(event));
    frame.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, (event) => this.up(event));
    frame.addEventListener("pointerleave", () => this.ring(null));
    frame.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    frame.addEventListener("contextmenu", (event) => this.pointers.size && event.preventDefault());
  }

  point(event) {
    const pressure = event.pointerType === "pen" ? event.pressure : 1;
    return { ...this.view.at(event.clientX, event.clientY), pressure, turned: event.altKey || event.shiftKey };
  }

  down(event) {
    if (!this.view.size || event.button > 1) return;
    event.preventDefault();
    this.frame.focus({ preventScroll: true });
    this.frame.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.pointers.size === 2) this.letGo();
    if (this.pointers.size > 1 || event.button === 1) return;
    this.painting = { id: event.pointerId, since: event.timeStamp, x: event.clientX, y: event.clientY, waits: event.pointerType === "touch" };
    this.stroke.begin(this.point(event), event.pointerType === "pen" && event.buttons === 32);
    if (!this.painting.waits) this.stroke.go([]);
  }

  /** A second finger came: what the first has just begun was meant for moving, unless it had been at it for a while. */
  letGo() {
    if (!this.painting) return;
    const begun = performance.now() - this.painting.since;
    if (this.painting.waits || begun < SECOND_THOUGHT) this.stroke.drop();
    else this.stroke.end();
    this.painting = null;
  }

  move(event) {
    this.hover(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, now);
    if (this.painting?.id === event.pointerId) this.paint(event);
    else if (other) this.pinch(before, now, other);
    else if (event.buttons === 4) this.view.pan(now.x - before.x, now.y - before.y);
  }

  paint(event) {
    const { painting } = this;
    if (painting.waits && Math.hypot(event.clientX - painting.x, event.clientY - painting.y) < STILL) return;
    painting.waits = false;
    const steps = event.getCoalescedEvents?.() ?? [];
    this.stroke.go((steps.length ? steps : [event]).map((one) => this.point(one)));
  }

  pinch(before, now, other) {
    const apart = (point) => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y));
    this.view.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    this.view.zoom(apart(now) / apart(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (event.pointerType === "touch") this.ring(null);
    if (this.painting?.id !== event.pointerId) return;
    if (event.type === "pointercancel") this.stroke.drop();
    else {
      if (this.painting.waits) this.stroke.go([]);
      this.stroke.end();
    }
    this.painting = null;
  }

  hover(event) {
    if (event.pointerType === "touch" && (!this.painting || this.painting.waits)) return;
    this.ring(this.pointers.size > 1 ? null : this.point(event));
  }

  wheel(event) {
    if (!this.view.size) return;
    const unit = event.deltaMode === 1 ? 16 : 1;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const amount = Math.min(120, Math.max(-120, event.deltaY * unit));
      this.view.zoom(Math.exp(-amount / 250), event.clientX, event.clientY);
    } else if (this.view.by > 1) {
      event.preventDefault();
      const across = event.shiftKey && !event.deltaX;
      this.view.pan(-(across ? event.deltaY : event.deltaX) * unit, across ? 0 : -event.deltaY * unit);
    }
  }
}
