// The one way by which a page follows what is being made.
//
// Whatever is still being made carries `data-follow`.  The element around it with hx-trigger="follow" ({% follow %}) tells
// htmx where to ask, and htmx morphs the answer into the page.  This file is only the clock: when to ask again.

/** Milliseconds to the first look; after a look that brought news; at most while nothing changes, hidden, out of reach. */
const [FIRST, BRISK, SLOW, HIDDEN, AWAY] = [250, 700, 2000, 10_000, 15_000];

const longer = (pause, most = SLOW) => Math.min(most, 1.3 * pause);
const askerOf = (element) => element?.closest?.("[hx-trigger='follow']");
const follows = (detail) => detail.requestConfig?.triggeringEvent?.type === "follow";

let timer = 0;
let pause = FIRST;
/** Where nobody answers: how long to wait at most before the next look; else 0. */
let away = 0;
const heard = new WeakMap();

function look() {
  const coming = [...document.querySelectorAll("[data-follow]")].map(askerOf);
  for (const asker of new Set(coming)) ask(asker);
  pause = longer(pause, away || SLOW);
  wait();
}

function ask(asker) {
  if (asker && !asker.classList.contains("htmx-request")) window.htmx.trigger(asker, "follow");
}

function wait() {
  clearTimeout(timer);
  if (document.querySelector("[data-follow]")) timer = setTimeout(look, document.hidden ? HIDDEN : pause);
}

/** Somebody came, or something new did: look soon. */
function wake() {
  pause = away ? BRISK : FIRST;
  wait();
}

/** Whether a failure is no news: a page that follows says once, not at every look, that nobody answers. */
export function knownAway({ detail }) {
  if (!follows(detail)) return false;
  const known = away > 0;
  away = 1000 * Number(detail.xhr.getResponseHeader("Retry-After")) || AWAY;
  return known;
}

/** Ask now how that stands which is shown around `element`: something was done to it. */
export const lookAround = (element) => ask(askerOf(element));

/** Growing pauses for a script that waits for one answer, until `patience` [ms] is over. */
export async function* pauses(patience) {
  const end = performance.now() + patience;
  for (let each = FIRST; performance.now() < end; each = longer(each)) {
    await new Promise((done) => setTimeout(done, each));
    yield each;
  }
}

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!follows(detail)) return lookAround(detail.elt.parentElement);
  if (detail.xhr.status === 404) detail.elt.remove();
  if (!detail.successful) return;
  const said = detail.xhr.responseText.replace(/csrfmiddlewaretoken" value="[^"]*/g, "");
  if (away || heard.get(detail.elt) !== said) pause = BRISK;
  heard.set(detail.elt, said);
  away = 0;
  wait();
});
document.addEventListener("htmx:afterSettle", ({ detail }) => follows(detail) || wake());
document.addEventListener("visibilitychange", wake);
for (const event of ["online", "pageshow"]) window.addEventListener(event, wake);
wait();

// What somebody has opened or written stays when news come in around it.
const written = (field) => "defaultValue" in field && field.value !== field.defaultValue;
window.Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element, change) =>
  !(name === "open" && change === "remove") && !(name === "value" && written(element));
