// Runs before the first paint, so that what needs a script never flashes.
document.documentElement.classList.add("js");
