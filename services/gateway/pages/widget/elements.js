// Elements, made without any HTML in text and without a style attribute: pages with a strict policy refuse both.

/** An element with properties (`aria-…`, `role` and the like as attributes) and children: elements, or texts as text. */
function element(name, properties, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made && !key.startsWith("aria")) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const ICONS = {
  chat: "M4 5h16v11H9.5L5 20v-4H4z",
  close: "M6 6l12 12M18 6L6 18",
  clear: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.2 10.5v5.5M13.8 10.5v5.5",
  send: "M5 12h13M12.5 6l6 6-6 6",
  up: "M8 11v9H4.5v-9zM8 11l4-7.5c1.6 0 2.3 1 2 2.6L13.5 9.5H19l-1.5 9c-.2 1-.8 1.5-1.8 1.5H8",
  down: "M16 13V4h3.5v9zM16 13l-4 7.5c-1.6 0-2.3-1-2-2.6l.5-3.4H5l1.5-9C6.7 4.5 7.3 4 8.3 4H16",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c.8-3.6 3.7-5.5 7.5-5.5s6.7 1.9 7.5 5.5",
};

/** A drawing that only those see who see the button around it. */
function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  const set = (node, attributes) => Object.entries(attributes).forEach((pair) => node.setAttribute(...pair));
  set(drawing, { viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" });
  set(path, { d: ICONS[name] });
  drawing.append(path);
  return drawing;
}

/** A button with a drawing and a name for those who do not see it. */
function iconButton(name, label, className, onclick) {
  return element("button", { type: "button", className, title: label, "aria-label": label, onclick }, icon(name));
}
