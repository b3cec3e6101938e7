// The words at the right: chips for what to change, presets and earlier words for what it becomes, the engine.

import { announce, heeds } from "../site.js";

const phrases = (text) => text.split(/\s*[,;]\s*|\s+and\s+/).map((one) => one.trim().toLowerCase()).filter(Boolean);

/** `find()` looks for the words of the region, `ask()` asks for pictures. */
export function listenToWords(root, form, { find, ask }) {
  const region = root.querySelector("#region");
  const prompt = root.querySelector("#prompt");

  const press = (buttons, pressed) => {
    for (const button of root.querySelectorAll(buttons)) button.setAttribute("aria-pressed", String(pressed(button)));
  };

  function onWords() {
    const said = phrases(region.value);
    press("[data-phrase]", (chip) => said.includes(chip.dataset.phrase));
    press(".preset", (preset) => preset.dataset.prompt === prompt.value.trim());
  }

  function onEngine() {
    const engine = form.elements.engine.value;
    for (const help of root.querySelectorAll("[data-engine-help]")) help.hidden = help.dataset.engineHelp !== engine;
    for (const field of root.querySelectorAll("[data-diffusion]")) field.disabled = !heeds(form.elements.engine, field);
  }

  function toggle(word) {
    const said = phrases(region.value);
    region.value = (said.includes(word) ? said.filter((one) => one !== word) : [...said, word]).join(", ");
    region.dispatchEvent(new Event("input", { bubbles: true }));
    if (region.value) find();
  }

  function take(text) {
    prompt.value = text;
    prompt.dispatchEvent(new Event("input", { bubbles: true }));
    announce(`Words: ${text}`);
  }

  root.addEventListener("input", onWords);
  root.addEventListener("click", (event) => {
    const link = event.target.closest("[data-phrase], [data-prompt]");
    if (!link) return;
    event.preventDefault();
    if (link.dataset.phrase) toggle(link.dataset.phrase);
    else take(link.dataset.prompt);
  });
  // A link that acts as a button answers to the space bar too.
  root.addEventListener("keydown", (event) => {
    if (event.key !== " " || !event.target.matches("a[role='button']")) return;
    event.preventDefault();
    event.target.click();
  });
  prompt.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    event.preventDefault();
    ask();
  });
  for (const radio of form.elements.engine) radio.addEventListener("change", onEngine);
  onWords();
  onEngine();
}
