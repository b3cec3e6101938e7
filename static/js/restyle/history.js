// Undo and redo of a plane.  Each step keeps the bytes of the box it changed; undoing swaps them, so one copy serves
// both ways.  What all steps keep together is bounded; the oldest go first.

export const MOST_BYTES = 96 * 1024 * 1024;
export const MOST_STEPS = 200;

export class History {
  constructor(plane, { bytes = MOST_BYTES, steps = MOST_STEPS } = {}) {
    this.plane = plane;
    this.bytes = bytes;
    this.steps = steps;
    this.done = [];
    this.undone = [];
  }

  /** The step that made the plane what it is, or undefined where nothing was done yet. */
  get top() {
    return this.done.at(-1);
  }

  get canUndo() {
    return this.done.length > 0;
  }

  get canRedo() {
    return this.undone.length > 0;
  }

  /** `before`: the bytes that were in `box` until now. */
  keep(before, box) {
    this.undone.length = 0;
    this.done.push({ piece: before, box });
    let held = this.done.reduce((sum, step) => sum + step.piece.length, 0);
    while (this.done.length > 1 && (held > this.bytes || this.done.length > this.steps)) held -= this.done.shift().piece.length;
  }

  undo() {
    return this.swap(this.done, this.undone);
  }

  redo() {
    return this.swap(this.undone, this.done);
  }

  /** The step that was turned, or null. */
  swap(from, to) {
    const step = from.pop();
    if (!step) return null;
    const now = this.plane.cut(step.box);
    this.plane.paste(step.piece, step.box);
    step.piece = now;
    to.push(step);
    return step;
  }
}
