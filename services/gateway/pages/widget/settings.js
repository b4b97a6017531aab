// What the script tag says. A value that is none counts as absent: a chat in the default colour is better than no chat.

const POSITIONS = ["bottom-right", "bottom-left", "top-right", "top-left"];
const THEMES = ["auto", "light", "dark"];
const PRIMARY = "#3b82f6";

/** The settings in the `data-` attributes of `tag`. */
function settingsOf(tag) {
  const data = tag.dataset;
  const oneOf = (allowed, value) => (allowed.includes(value) ? value : allowed[0]);
  const language = languageOf([data.language, document.documentElement.lang, navigator.language]);
  return {
    // The script lies where the API begins, behind whatever prefix.
    base: new URL(".", tag.src).href,
    app: data.appId || "",
    theme: oneOf(THEMES, data.theme),
    position: oneOf(POSITIONS, data.position),
    primary: legible(rgb(data.primaryColor) || rgb(PRIMARY)),
    greeting: data.greeting || TEXTS[language].title,
    placeholder: data.placeholder || TEXTS[language].placeholder,
    userName: data.userName || "",
    userEmail: data.userEmail || "",
    language,
  };
}

/** `#rgb` or `#rrggbb` as three numbers. */
function rgb(text) {
  const short = /^#([\da-f])([\da-f])([\da-f])$/i.exec(text || "");
  const long = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(text || "");
  if (short) return short.slice(1).map((digit) => parseInt(digit + digit, 16));
  return long ? long.slice(1).map((pair) => parseInt(pair, 16)) : null;
}

/** A colour and what can be read on it. One that is nearly dark enough for white letters is made so. */
function legible(colour) {
  if (contrastWithWhite(colour) < 3) return { back: css(colour), front: "#111827" };
  let back = colour;
  while (contrastWithWhite(back) < 4.6) back = back.map((part) => Math.floor(part * 0.97));
  return { back: css(back), front: "#ffffff" };
}

/** The contrast ratio that the accessibility guidelines define. */
function contrastWithWhite(colour) {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05);
}

function css(colour) {
  return `rgb(${colour.join(" ")})`;
}
