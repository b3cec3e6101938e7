// What every page shares: menus, lights, notes, job announcements, downloads.

import { knownAway } from "./follow.js";
import { gettext, pgettext } from "./words.js";

const live = document.getElementById("live");
const toast = document.getElementById("toast");
let toastTimer = 0;

/** Tell a screen reader, politely and only once. */
export function announce(text) {
  if (live.textContent !== text) live.textContent = text;
}

/** Whether the engine that is chosen of these radios heeds a setting; the LoRAs are one. */
export function heeds(engines, field) {
  const chosen = [...engines].find((one) => one.checked);
  return Boolean(chosen?.dataset.heeds.split(" ").includes(field.name.startsWith("lora-") ? "loras" : field.name));
}

/** Say something to everybody, and let it go after a while. */
export function say(text) {
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (toast.hidden = true), 7000);
}

// ---- menus: close on escape, on a click elsewhere

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  toast.hidden = true;
});

// ---- lights

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";

function sayLights() {
  for (const word of document.querySelectorAll("[data-theme-word]")) word.textContent = isDark() ? pgettext("lights", "up") : pgettext("lights", "down");
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-toggle]")) return;
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  sayLights();
});
dark.addEventListener("change", sayLights);
sayLights();

// ---- dialogs: a link or button names one

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    event.preventDefault();
    document.getElementById(opener.dataset.dialog).showModal();
  }
  const closer = event.target.closest("[data-close]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog").close();
  }
});

// ---- the form token changes when a visitor becomes a guest; the cookie always has the newest

const token = () => /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1];

document.addEventListener("htmx:configRequest", ({ detail }) => {
  const newest = token();
  if (!newest) return;
  detail.headers["X-CSRFToken"] = newest;
  if (detail.verb !== "get") detail.parameters.csrfmiddlewaretoken = newest;
});

document.addEventListener("submit", (event) => {
  const field = event.target.elements.csrfmiddlewaretoken;
  if (field && token()) field.value = token();
}, true);

// ---- what htmx brings

const sayings = () => [...document.querySelectorAll("[data-say]")].map((one) => one.dataset.say);
let said = sayings();

document.addEventListener("htmx:afterSettle", () => {
  const now = sayings();
  const news = now.find((one) => !said.includes(one));
  if (news) announce(news);
  said = now;
  for (const link of document.querySelectorAll("a[data-now]")) {
    link.removeAttribute("data-now");
    link.click();
  }
});

document.addEventListener("htmx:responseError", (event) => {
  const { status, responseText } = event.detail.xhr;
  if ((status === 404 && event.detail.requestConfig.verb === "get") || knownAway(event)) return;
  const plain = (event.detail.xhr.getResponseHeader("Content-Type") ?? "").startsWith("text/plain");
  say(plain && responseText ? responseText : gettext("That did not go through. Nothing of yours is lost; please try again."));
});

for (const silence of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(silence, (event) => {
    if (knownAway(event)) return;
    say(navigator.onLine ? gettext("The studio does not answer. Your work is safe; it will be here when it does.") : gettext("You are offline. Your work is safe."));
  });
}

navigator.serviceWorker?.register("/worker.js").catch(() => {}); // without one, the browser says "offline" itself

window.addEventListener("offline", () => say(gettext("You are offline. What you see still works; new fabrics wait until you are back.")));
window.addEventListener("online", () => say(gettext("Back online.")));

// ---- what this browser remembers belongs to one person

const person = document.documentElement.dataset.person;
const stray = person ? ["toile:moments:", `toile:moments:${person}`] : ["toile:moments:"];
for (const key of Object.keys(localStorage)) {
  if (key.startsWith("toile:moments:") && !stray.includes(key)) localStorage.removeItem(key);
}
