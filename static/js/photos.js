// One's own photos in the strip: what each is called, and where it lies.

import { announce, say } from "./site.js";
import { fill, gettext } from "./words.js";

const strip = document.querySelector(".garments .strip");
const naming = document.getElementById("photo-name-form");
const moving = document.getElementById("photo-move-form");
const photos = () => [...strip.querySelectorAll(".wearable[data-kind='photo']")];
const token = () => /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
const is = (form, address) => Boolean(address) && form.action === new URL(address, location).href;

async function post(address, fields) {
  const headers = { "HX-Request": "true", "X-CSRFToken": token() };
  const answer = await fetch(address, { method: "POST", body: new URLSearchParams(fields), headers }).catch(() => null);
  if (answer?.ok) return answer;
  say((answer?.status === 422 && await answer.text()) || gettext("That did not go through. Nothing of yours is lost; please try again."));
  return null;
}

/** The photo `chosen` is on the stage: the forms are about it. */
export function about(chosen) {
  if (chosen.kind !== "photo" || !chosen.rename) return;
  naming.action = chosen.rename;
  moving.action = chosen.move;
  naming.elements.name.value = chosen.name;
}

/** `named(link, name)` is called when a photo bears another name. */
export function onNamed(named) {
  const rename = async () => {
    const answer = await post(naming.action, { name: naming.elements.name.value });
    if (!answer) return;
    const name = await answer.text();
    const link = photos().find((one) => is(naming, one.dataset.rename));
    naming.elements.name.value = name;
    if (!link) return;
    link.dataset.name = name;
    link.querySelector(".name").textContent = name;
    named(link, name);
    announce(fill(gettext("Called {name}"), { name }));
  };
  naming.addEventListener("submit", (event) => event.preventDefault());
  naming.elements.name.addEventListener("change", rename);
}

async function move(link, fields) {
  const answer = await post(link.dataset.move, fields);
  if (!answer) return;
  const { order } = await answer.json();
  const end = photos().at(-1)?.nextElementSibling ?? null;
  const focused = document.activeElement;
  const known = new Map(photos().map((one) => [one.dataset.id, one]));
  const laid = order.map((id) => known.get(id)).filter(Boolean);
  for (const one of laid) strip.insertBefore(one, end);
  focused?.focus({ preventScroll: true });
  link.scrollIntoView({ block: "nearest", inline: "nearest" });
  announce(fill(gettext("{name}, place {number} of {count}"), { name: link.dataset.name, number: laid.indexOf(link) + 1, count: laid.length }));
}

moving.addEventListener("submit", (event) => {
  event.preventDefault();
  const link = photos().find((one) => is(moving, one.dataset.move));
  if (link && event.submitter) move(link, { by: event.submitter.value });
});

strip.addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const link = event.target.closest?.(".wearable[data-kind='photo']");
  if (!by || !event.altKey || !link) return;
  event.preventDefault();
  move(link, { by });
});

// ---- by hand

let dragged = null;
const mark = (target) => photos().forEach((one) => one.classList.toggle("before", one === target && one !== dragged));

strip.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.(".wearable[data-kind='photo']") ?? null;
  dragged?.classList.add("dragged");
});
strip.addEventListener("dragend", () => {
  dragged?.classList.remove("dragged");
  mark(null);
  dragged = null;
});
strip.addEventListener("dragover", (event) => {
  if (!dragged) return;
  event.preventDefault();
  mark(event.target.closest(".wearable[data-kind='photo']"));
});
strip.addEventListener("drop", (event) => {
  if (!dragged) return;
  event.preventDefault();
  const target = event.target.closest(".wearable[data-kind='photo']");
  if (target === dragged) return;
  if (target) move(dragged, { before: target.dataset.id });
  else move(dragged, { by: 1000 });
});
