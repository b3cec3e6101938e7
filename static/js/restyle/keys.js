// The keyboard of the Restyle page; its map is under "?".

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const typing = (element) => element.matches("input:not([type='range'], [type='radio'], [type='checkbox']), textarea, select");

/** `ask()` is what Ctrl+Enter does. */
export function listenToKeys(editor, tools, ask) {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.altKey) return;
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (command && key === "enter") ask();
    else if (typing(event.target)) return;
    else if (command && key === "z") tools.act(event.shiftKey ? "redo" : "undo");
    else if (command && key === "y") tools.act("redo");
    else if (command || !plain(event, key, editor, tools)) return;
    event.preventDefault();
  });
  document.addEventListener("keyup", (event) => event.key === " " && tools.compare(false));
  window.addEventListener("blur", () => tools.compare(false));
}

/** Whether a key without Ctrl meant something here. */
function plain(event, key, editor, tools) {
  const onTable = event.target === editor.frame;
  if (key === "b") tools.choose("brush");
  else if (key === "e") tools.choose("erase");
  else if (key === "[") tools.smaller();
  else if (key === "]") tools.larger();
  else if (key === "i") tools.act("invert");
  else if (key === "?") document.getElementById("keys").showModal();
  else if (key === " " && !event.target.matches("button, a, summary, input")) tools.compare(true);
  else if (key === "+" || key === "=") tools.zoom("in");
  else if (key === "-") tools.zoom("out");
  else if (key === "0") tools.zoom("fit");
  else if (onTable && ARROWS[event.key]) editor.aimBy(...ARROWS[event.key], event.shiftKey);
  else if (onTable && key === "enter") editor.dab();
  else return false;
  return true;
}
