// The table of a dimension's segments, sorted by any column.

import { keyOf, samples } from "./api.js";
import { SEGMENT_COLUMNS } from "./catalogue.js";
import { el, scrollable } from "./dom.js";
import { money } from "./format.js";

/** The dimensions that a store has, without the whole. */
export async function dimensionsOf(store, window) {
  const found = await samples({ name: "retention_orders", store, window });
  return [...new Set(found.map(({ labels }) => labels.dimension))].filter((name) => name !== "all");
}

export class Segments {
  #root;
  #rows = [];
  #columns = [];
  #sort = { key: SEGMENT_COLUMNS[0].key, isAscending: false };

  constructor(root) {
    this.#root = root;
  }

  async show({ store, window, dimension }) {
    const bySegment = new Map();
    for (const { name, labels, value } of await samples({ store, window, dimension })) {
      const numbers = bySegment.get(labels.segment) ?? new Map();
      bySegment.set(labels.segment, numbers.set(keyOf(name, labels), value));
    }
    const currencies = new Set();
    for (const numbers of bySegment.values()) {
      for (const key of numbers.keys()) {
        const [metric, currency] = key.split(":");
        if (metric === "retention_revenue") currencies.add(currency);
      }
    }
    this.#columns = [
      ...SEGMENT_COLUMNS,
      ...[...currencies].sort().map((currency) => ({
        key: `retention_revenue:${currency}:gross`,
        title: `Revenue, ${currency}`,
        format: money(currency),
      })),
    ];
    this.#rows = [...bySegment];
    this.#draw(dimension);
  }

  #draw(dimension) {
    const focused = this.#root.contains(document.activeElement)
      ? document.activeElement.dataset.key
      : undefined;
    const columns = [{ key: "", title: "Segment" }, ...this.#columns];
    const table = el(
      "table",
      { class: "segments" },
      el("caption", {}, `Customers by ${dimension}`),
      el("thead", {}, el("tr", {}, columns.map((column) => this.#head(column, dimension)))),
      el("tbody", {}, this.#sorted().map((row) => this.#line(row))),
    );
    const left = this.#root.firstElementChild?.scrollLeft ?? 0;
    const region = scrollable(`Segments by ${dimension}, table`, table);
    this.#root.replaceChildren(region);
    region.scrollLeft = left;
    if (focused !== undefined) {
      this.#root.querySelector(`button[data-key="${CSS.escape(focused)}"]`)?.focus();
    }
  }

  #head({ key, title }, dimension) {
    const isSorted = this.#sort.key === key;
    const direction = this.#sort.isAscending ? "ascending" : "descending";
    const button = el("button", { type: "button", "data-key": key }, title);
    button.addEventListener("click", () => {
      // Numbers begin with the largest, names with the first.
      this.#sort = { key, isAscending: isSorted ? !this.#sort.isAscending : key === "" };
      this.#draw(dimension);
    });
    return el("th", { scope: "col", "aria-sort": isSorted ? direction : null }, button);
  }

  #line([segment, numbers]) {
    return el(
      "tr",
      { "data-segment": segment },
      el("th", { scope: "row" }, segment),
      this.#columns.map(({ key, format }) =>
        el("td", {}, el("data", { "data-key": key, value: numbers.get(key) ?? "" }, format(numbers.get(key)))),
      ),
    );
  }

  #sorted() {
    const { key, isAscending } = this.#sort;
    const sign = isAscending ? 1 : -1;
    const byName = ([one], [other]) => one.localeCompare(other, "en");
    if (key === "") return [...this.#rows].sort((one, other) => sign * byName(one, other));
    const value = ([, numbers]) => numbers.get(key) ?? -Infinity;
    return [...this.#rows].sort((one, other) =>
      value(one) === value(other) ? byName(one, other) : sign * (value(one) - value(other)),
    );
  }
}
