// Elements without markup: text stays text, whatever a store or a segment is called.

/** An element with attributes and children; children that are null are left out. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Writes only what differs, so that a reader's selection and a screen reader are left alone. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Fills a select with [value, text] pairs and chooses one. */
export function setOptions(select, options, chosen) {
  const wanted = JSON.stringify(options);
  if (select.dataset.options !== wanted) {
    select.replaceChildren(...options.map(([value, text]) => el("option", { value }, text)));
    select.dataset.options = wanted;
  }
  select.value = chosen;
}

/** A region that scrolls sideways: focusable, so that the keyboard can scroll it. */
export function scrollable(label, ...children) {
  return el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": label }, ...children);
}
