/* Starts the API's documentation page.  The token typed there is kept only until the page is left. */
const settings = JSON.parse(document.getElementById("swagger-settings").textContent);
SwaggerUIBundle({ ...settings, dom_id: "#swagger-ui", presets: [SwaggerUIBundle.presets.apis] });
