// Looks side by side: what one of them shows, all show.

import { announce } from "./site.js";

const root = document.querySelector("[data-beside]");
const word = document.querySelector("[data-zoom-word]");
const MOST = 8;
const STEP = 1.25;
const NUDGE = 5;
const view = { zoom: 1, x: 0, y: 0 };

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

function show() {
  const spare = 50 * (view.zoom - 1);
  view.x = clamp(view.x, -spare, spare);
  view.y = clamp(view.y, -spare, spare);
  root.style.setProperty("--zoom", String(view.zoom));
  root.style.setProperty("--x", String(view.x));
  root.style.setProperty("--y", String(view.y));
  word.textContent = `${Math.round(100 * view.zoom)} %`;
}

function zoom(by) {
  const before = view.zoom;
  view.zoom = clamp(view.zoom * by, 1, MOST);
  const real = view.zoom / before;
  Object.assign(view, { x: view.x * real, y: view.y * real });
  show();
}

function whole() {
  Object.assign(view, { zoom: 1, x: 0, y: 0 });
  show();
}

function nudge(x, y) {
  Object.assign(view, { x: view.x + x, y: view.y + y });
  show();
}

const KEYS = {
  "+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP), 0: whole,
  ArrowLeft: () => nudge(NUDGE, 0), ArrowRight: () => nudge(-NUDGE, 0), ArrowUp: () => nudge(0, NUDGE), ArrowDown: () => nudge(0, -NUDGE),
};

function listen() {
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => {
      ({ in: () => zoom(STEP), out: () => zoom(1 / STEP), fit: whole })[button.dataset.zoom]();
      announce(word.textContent);
    });
  }
  root.addEventListener("keydown", (event) => {
    const act = KEYS[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey || !event.target.matches(".beside-frame")) return;
    event.preventDefault();
    act();
  });
  root.addEventListener("wheel", (event) => {
    if (!event.target.closest(".beside-frame")) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1);
  }, { passive: false });
  for (const frame of root.querySelectorAll(".beside-frame")) drag(frame);
}

function drag(frame) {
  frame.addEventListener("pointerdown", (event) => frame.setPointerCapture(event.pointerId));
  frame.addEventListener("pointermove", (event) => {
    if (!frame.hasPointerCapture(event.pointerId)) return;
    nudge((100 * event.movementX) / frame.clientWidth, (100 * event.movementY) / frame.clientHeight);
  });
}

if (root) listen();
