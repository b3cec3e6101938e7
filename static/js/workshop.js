// A data set in the making: pictures dropped by the dozen, and words put into captions.

import { lookAround } from "./follow.js";
import { announce } from "./site.js";
import { fill, gettext, ngettext } from "./words.js";

const form = document.getElementById("drop");
const input = document.getElementById("images");
const sending = document.getElementById("sending");
const refused = document.getElementById("refused");

let queue = [];
let sent = 0;
let asked = 0;

/** Pictures go one by one: each is checked by itself, and a wrong one stops no other. */
async function send(files) {
  asked += files.length;
  const idle = queue.length === 0;
  queue.push(...files);
  if (!idle) return;
  refused.replaceChildren();
  refused.hidden = true;
  while (queue.length) {
    say(fill(gettext("Sending picture {number} of {count} …"), { number: sent + 1, count: asked }));
    const why = await take(queue[0]);
    if (why) refuse(queue[0].name, why);
    queue.shift();
    sent += 1;
    lookAround(document.getElementById("pictures"));
  }
  const kept = asked - refused.children.length;
  say(fill(ngettext("{count} picture arrived.", "{count} pictures arrived.", kept), { count: kept }));
  announce(sending.textContent);
  [sent, asked] = [0, 0];
}

/** Why the picture was not taken; empty when it was. */
async function take(file) {
  const body = new FormData(form);
  body.set("image", file);
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
    return answer.ok ? "" : await sentence(answer);
  } catch {
    return gettext("The studio does not answer. Nothing was kept of it; please send it again.");
  }
}

async function sentence(answer) {
  const plain = (answer.headers.get("Content-Type") ?? "").startsWith("text/plain");
  return (plain && (await answer.text())) || gettext("That did not go through. Nothing was kept of it; please send it again.");
}

function refuse(name, why) {
  const line = document.createElement("li");
  line.textContent = `${name}: ${why}`;
  refused.append(line);
  refused.hidden = false;
}

const say = (text) => (sending.textContent = text);

input.addEventListener("change", () => {
  const files = [...input.files];
  input.value = "";
  if (files.length) send(files);
});

for (const event of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(event, (happened) => {
    if (!happened.dataTransfer?.types.includes("Files")) return;
    happened.preventDefault(); // a picture dropped beside the field would replace the page
    form.classList.toggle("over", event === "dragover");
    if (event === "drop" && happened.dataTransfer.files.length) send([...happened.dataTransfer.files]);
  });
}

// ---- words for captions

let caption = null;

document.addEventListener("focusin", ({ target }) => {
  if (target.matches("textarea[id^='caption-']")) caption = target;
});

function write(field, text) {
  field.value = text;
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("click", ({ target }) => {
  const hint = target.closest("[data-hint]");
  const suggestion = target.closest("[data-suggest]");
  if (suggestion) write(document.getElementById(suggestion.dataset.for), suggestion.dataset.suggest);
  if (!hint) return;
  if (!caption?.isConnected) caption = document.querySelector("textarea[id^='caption-']");
  if (!caption) return;
  const said = caption.value.trim();
  const gap = said && !said.endsWith(",") ? ", " : said ? " " : "";
  write(caption, `${said}${gap}${hint.dataset.hint}`.slice(0, caption.maxLength));
  announce(fill(gettext("{word} is added to the caption."), { word: hint.dataset.hint }));
});
