/* Starts the API's documentation page.  The token typed there is kept only until the page is left. */
const settings = JSON.parse(document.getElementById("swagger-settings").textContent);
SwaggerUIBundle({ ...settings, dom_id: "#swagger-ui", presets: [SwaggerUIBundle.presets.apis] });

/* What Swagger builds in a way that keyboards and screen readers stumble over, put right whenever it builds anew:
   a link inside a button is a second stop that does the same, and sections come right after the title. */
const LEVELS = { "h3.opblock-tag, section.models > h4": "2", ".opblock h4": "3", ".opblock h5": "4" };
const place = document.getElementById("swagger-ui");
function mend() {
  for (const link of place.querySelectorAll(".opblock-summary-control a[href]")) link.removeAttribute("href");
  for (const [headings, level] of Object.entries(LEVELS)) {
    for (const heading of place.querySelectorAll(headings)) heading.setAttribute("aria-level", level);
  }
}
new MutationObserver(mend).observe(place, { childList: true, subtree: true });
mend();
