// The table of money: a row for each currency, with the change against the window before.

import { currenciesOf, moneyColumns } from "./catalogue.js";
import { el, scrollable } from "./dom.js";
import { showNumber } from "./tiles.js";

/** Shows the money of `now` beside `before`. */
export function showRevenue(root, { now, before, isComparable }) {
  const currencies = currenciesOf(now);
  const layout = currencies.join();
  if (root.dataset.layout !== layout) {
    root.replaceChildren(currencies.length > 0 ? table(currencies) : "");
    root.dataset.layout = layout;
  }
  for (const column of currencies.flatMap(moneyColumns)) {
    const cell = root.querySelector(`[data-key="${CSS.escape(column.key)}"]`);
    showNumber(cell, column, { now: now[column.key], before: before[column.key], isComparable });
  }
}

function table(currencies) {
  const titles = moneyColumns("").map(({ title }) => title);
  return scrollable(
    "Revenue by currency, table",
    el(
      "table",
      { class: "money" },
      el("caption", {}, "Revenue"),
      el("thead", {}, el("tr", {}, ["Currency", ...titles].map((text) => el("th", { scope: "col" }, text)))),
      el("tbody", {}, currencies.map(row)),
    ),
  );
}

function row(currency) {
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, currency),
    moneyColumns(currency).map(({ key }) =>
      el(
        "td",
        { "data-key": key },
        el("data", { value: "" }),
        el("span", { class: "change" }),
        " ",
        el("span", { class: "was" }),
      ),
    ),
  );
}
