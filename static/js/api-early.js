/* Before the first paint: the documentation in the light that is chosen here, or that the machine has. */
const chosen = document.documentElement.dataset.theme;
const night = window.matchMedia("(prefers-color-scheme: dark)");
const lights = () => document.documentElement.classList.toggle("dark-mode", chosen ? chosen === "dark" : night.matches);
night.addEventListener("change", lights);
lights();
