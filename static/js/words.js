// Words that scripts say, in the language of the page.  The catalogue is a script of its own, before every module; an
// English page has none.

const catalogue = globalThis.django;

/** `text`, or what it is in the language of the page; also names, of types or garments, that the server tells by codes. */
export const gettext = catalogue?.gettext ?? ((text) => text);

/** The same where a word alone does not say what it means. */
export const pgettext = catalogue?.pgettext ?? ((context, text) => text);

/** The same for a number of things. */
export const ngettext = catalogue?.ngettext ?? ((one, many, count) => (count === 1 ? one : many));

/** `{name}` in `text` filled in from `values`. */
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));

/** A number as people write it. */
export const figure = (value) => Number(value).toLocaleString(document.documentElement.lang || "en", { maximumFractionDigits: 2, useGrouping: false });
