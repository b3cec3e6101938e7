// Runs before the first paint, so that what needs a script never flashes.
document.documentElement.classList.add("js");
// A page that is kept for when the network is away was made for nobody: it asks the cookie which lights are on.
const lights = /(?:^|; )theme=(dark|light)/.exec(document.cookie)?.[1];
if (lights) document.documentElement.dataset.theme = lights;
