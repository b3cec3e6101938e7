// Your cloth: corners that can be dragged or walked with the arrow keys, and what is found inside them.

import { say } from "./site.js";
import { gettext } from "./words.js";

const form = document.querySelector("#cloth-form");
const photo = document.querySelector("[data-corners]");
const ring = photo.querySelector(".ring");
const cells = document.querySelector("#cells");
const found = document.querySelector("#found");
const width = Number(photo.dataset.width);
const height = Number(photo.dataset.height);
const SIDES = [width, height];
const STEP = 0.5, LEAP = 5; // per cent of the photo, the second with Shift
const PAUSE = 350;

const numberOf = (at) => form.elements[`corner_${at}`];
const percent = (value, side) => Math.min(100, Math.max(0, (100 * value) / side));

function draw() {
  const places = [];
  for (const circle of ring.querySelectorAll("circle")) {
    const at = Number(circle.dataset.corner);
    const [x, y] = [0, 1].map((axis) => (Number(numberOf(at + axis).value) / 100) * SIDES[axis]);
    circle.setAttribute("cx", x);
    circle.setAttribute("cy", y);
    places.push(`${x},${y}`);
  }
  ring.querySelector("[data-ring]").setAttribute("points", places.join(" "));
}

function move(at, x, y) {
  numberOf(at).value = x.toFixed(1);
  numberOf(at + 1).value = y.toFixed(1);
  draw();
}

// ---- dragging, and walking by keys

ring.addEventListener("pointerdown", (event) => {
  const circle = event.target.closest("circle");
  if (!circle) return;
  event.preventDefault();
  circle.focus();
  circle.setPointerCapture(event.pointerId);
  const at = Number(circle.dataset.corner);
  const follow = ({ clientX, clientY }) => {
    const box = ring.getBoundingClientRect();
    move(at, percent(clientX - box.left, box.width), percent(clientY - box.top, box.height));
  };
  const end = () => {
    circle.removeEventListener("pointermove", follow);
    look();
  };
  circle.addEventListener("pointermove", follow);
  circle.addEventListener("lostpointercapture", end, { once: true });
});

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

ring.addEventListener("keydown", (event) => {
  const circle = event.target.closest("circle");
  const step = KEYS[event.key];
  if (!circle || !step) return;
  event.preventDefault();
  const at = Number(circle.dataset.corner);
  const far = event.shiftKey ? LEAP : STEP;
  const [x, y] = [0, 1].map((axis) => percent(Number(numberOf(at + axis).value) + step[axis] * far, 100));
  move(at, x, y);
  soon();
});

// ---- what is found inside them

let waiting = 0;
let asked = 0;

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(look, PAUSE);
}

async function look() {
  clearTimeout(waiting);
  const mine = ++asked;
  found.setAttribute("aria-busy", "true");
  const query = new URLSearchParams(new FormData(form));
  for (const name of ["csrfmiddlewaretoken", "next"]) query.delete(name);
  try {
    const answer = await fetch(`${form.dataset.found}?${query}`, { headers: { "HX-Request": "true" } });
    const text = await answer.text();
    if (mine !== asked) return;
    if (!answer.ok) {
      say(answer.status === 422 || answer.status === 429 ? text : gettext("The cloth could not be looked at. Nothing is lost; try again."));
      return;
    }
    take(text);
  } catch {
    if (mine === asked) say(gettext("The cloth could not be looked at. Check the connection; nothing is lost."));
  } finally {
    if (mine === asked) found.removeAttribute("aria-busy");
  }
}

function take(text) {
  const told = new DOMParser().parseFromString(`<div>${text}</div>`, "text/html");
  const places = [...told.querySelectorAll("[data-points]")].map((one) => one.dataset.points);
  cells.replaceChildren(...places.map(polygon));
  told.querySelector("[data-cells]")?.remove();
  found.replaceChildren(...told.body.firstChild.childNodes);
  if (form.elements.cut.value === "set") return;
  const { width: wide, height: high } = found.querySelector("[data-width]").dataset;
  form.elements.repeat_width.value = wide;
  form.elements.repeat_height.value = high;
}

function polygon(points) {
  const one = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
  one.setAttribute("points", points);
  return one;
}

form.addEventListener("change", ({ target }) => {
  if (target.name.startsWith("corner_")) draw();
  if (target.name === "repeat_width" || target.name === "repeat_height") form.elements.cut.value = "set";
  if (target.name !== "inks" && target.name !== "side_cm") look();
});
