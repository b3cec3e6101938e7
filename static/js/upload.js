// Sends a model file in parts; what breaks off goes on where it stopped, in this page or after another choice of the file.

import { announce } from "./site.js";
import { fill, gettext } from "./words.js";

const form = document.getElementById("upload-form");
const field = form.querySelector("input[type=file]");
const button = form.querySelector("button:not([type=button])");
const pause = form.querySelector("[data-pause]");
const sending = form.querySelector("[data-sending]");
const bar = sending.querySelector("progress");
const said = sending.querySelector("[data-said]");
const error = form.querySelector("[data-error]");
const TRIES = 6;
const token = () => /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? form.elements.csrfmiddlewaretoken.value;

let stopped = false;

/** A refusal with a sentence of the server's: trying again would not help. */
class Refused extends Error {}

async function post(address, fields) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  const answer = await fetch(address, { method: "POST", body, headers: { "X-CSRFToken": token() } });
  const isJson = (answer.headers.get("Content-Type") ?? "").startsWith("application/json");
  const told = isJson ? await answer.json() : {};
  if (answer.ok || answer.status === 409) return told;
  if (answer.status >= 500 || answer.status === 429) throw new Error(gettext("The studio does not answer just now."));
  throw new Refused(told.error ?? gettext("This was not taken. Nothing was kept; reload the page and try again."));
}

/** `action` again after a pause that grows, while the connection or the studio is away. */
async function insist(action) {
  for (let tried = 1; ; tried += 1) {
    try {
      return await action();
    } catch (problem) {
      if (problem instanceof Refused || tried === TRIES || stopped) throw problem;
      said.textContent = gettext("The connection broke; trying again …");
      await new Promise((go) => setTimeout(go, 500 * 2 ** tried));
    }
  }
}

function show(received, size) {
  const percent = Math.floor((100 * received) / size);
  bar.value = percent;
  said.textContent = fill(gettext("{share} sent"), { share: `${percent} %` });
}

async function send(file) {
  let here = await insist(() => post(form.dataset.begin, { name: file.name, size: file.size }));
  const { at, part, size } = here;
  show(here.received, size);
  while (here.received < size && !stopped) {
    const offset = here.received;
    const piece = file.slice(offset, offset + part);
    here = await insist(() => post(at, { offset, part: new File([piece], "part") }));
    show(here.received, size);
  }
  return here.received === size;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [file] = field.files;
  if (!file) return;
  stopped = false;
  error.textContent = "";
  button.disabled = true;
  pause.hidden = sending.hidden = false;
  try {
    if (await send(file)) window.location.reload();
    else announce(gettext("Paused. Send it again to go on."));
  } catch (problem) {
    error.textContent = problem instanceof Refused ? problem.message : gettext("The connection broke. What was sent is kept; send it again to go on.");
  } finally {
    button.disabled = false;
    pause.hidden = true;
  }
});

pause.addEventListener("click", () => {
  stopped = true;
});
