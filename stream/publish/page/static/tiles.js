// The headline numbers, each with its change against the window before.

import { TILE_GROUPS } from "./catalogue.js";
import { changeOf } from "./change.js";
import { el, setText } from "./dom.js";

/** Shows `now` beside `before`, numbers by key; see changeOf about isComparable. */
export function showTiles(root, { now, before, isComparable }) {
  if (root.childElementCount === 0) root.replaceChildren(...TILE_GROUPS.map(group));
  for (const tile of TILE_GROUPS.flatMap(({ tiles }) => tiles)) {
    const item = root.querySelector(`[data-key="${CSS.escape(tile.key)}"]`);
    showNumber(item, tile, { now: now[tile.key], before: before[tile.key], isComparable });
  }
}

/** Fills an element that has a <data> and a place for the change. */
export function showNumber(item, tile, { now, before, isComparable }) {
  const value = item.querySelector("data");
  value.value = now ?? "";
  setText(value, tile.format(now));
  const { text, was, mood } = changeOf(tile, now, before, isComparable);
  const change = item.querySelector(".change");
  setText(change, text);
  change.dataset.mood = mood;
  setText(item.querySelector(".was"), was);
}

function group({ title, tiles }) {
  return el(
    "div",
    { class: "tile-group" },
    el("h3", {}, title),
    el("ul", { class: "tile-row" }, tiles.map(empty)),
  );
}

function empty({ key, title, what }) {
  return el(
    "li",
    { class: "tile", "data-key": key },
    el("span", { class: "tile-title" }, title),
    el("data", { class: "tile-value", value: "" }),
    el("span", {}, el("span", { class: "change" }), " ", el("span", { class: "was" })),
    el("span", { class: "tile-what" }, what),
  );
}
