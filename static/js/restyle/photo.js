// A photo of one's own: chosen or dropped on the table, sent, and laid out by the page that comes back.

import { announce } from "../site.js";
import { gettext } from "../words.js";

/** `before()` is called when a photo is about to be sent. */
export function listenForPhotos(table, before) {
  const form = document.getElementById("upload-form");
  const input = document.getElementById("photo-file");

  input.addEventListener("change", () => {
    if (!input.files.length) return;
    before();
    form.classList.add("busy");
    announce(gettext("Sending your photo"));
    form.requestSubmit();
  });

  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.elt !== form) return;
    form.classList.toggle("busy", detail.successful);
    input.value = "";
  });

  for (const kind of ["dragenter", "dragover"]) {
    table.addEventListener(kind, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      table.classList.add("dropping");
    });
  }
  table.addEventListener("dragleave", (event) => !table.contains(event.relatedTarget) && table.classList.remove("dropping"));
  table.addEventListener("drop", (event) => {
    event.preventDefault();
    table.classList.remove("dropping");
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change"));
  });
}
