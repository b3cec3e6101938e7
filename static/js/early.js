// Runs before the first paint, so that what needs a script never flashes.
document.documentElement.classList.add("js");
// A page that is kept for when the network is away was made for nobody: it asks the cookie which lights are on.
const lights = /(?:^|; )theme=(dark|light)/.exec(document.cookie)?.[1];
if (lights) document.documentElement.dataset.theme = lights;
// It holds every language of the house; shown is the one that was chosen, else the browser's.
const tongue = (/(?:^|; )django_language=([\w-]+)/.exec(document.cookie)?.[1] ?? navigator.language).toLowerCase();
document.addEventListener("DOMContentLoaded", () => {
  const place = document.querySelector("[data-offline]");
  const template = place && [...document.querySelectorAll("template[lang]")].find((one) => one.lang.slice(0, 2) === tongue.slice(0, 2));
  if (!template) return;
  document.documentElement.lang = template.lang;
  place.replaceChildren(template.content.cloneNode(true));
});
