// The heat map: how many of those who began in a month came back in each month since.

import { cohorts } from "./api.js";
import { el, scrollable } from "./dom.js";
import { count, percent } from "./format.js";

const STEPS = 10;
const month = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric", timeZone: "UTC" });

/** Asks for a store's cohorts and shows them; says whether there are any. */
export async function showCohorts(root, { store, kind, unit }) {
  const { cohorts: rows } = await cohorts(store, kind);
  // In the month of their first order all have ordered: the scale is that of the months after it.
  const firstAge = kind === "first_order" ? 1 : 0;
  const highest = Math.max(
    ...rows.flatMap(({ size, customers }) => customers.slice(firstAge).map((some) => some / size)),
    0,
  );
  const ages = Math.max(...rows.map(({ customers }) => customers.length), 0);
  const head = ["Cohort", "Customers", ...Array.from({ length: ages }, (_, age) => `${age}`)];
  const body = rows.map((row) => line(row, { firstAge, highest, unit, ages }));
  const began = kind === "first_order" ? "first order" : "signup";
  const table = el(
    "table",
    { class: "heat" },
    el("caption", {}, `With an order so many months after the month of the ${began}; the last month of each row still runs`),
    el("thead", {}, el("tr", {}, head.map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, body),
  );
  const [old] = root.children;
  const [left, top] = [old?.scrollLeft ?? 0, old?.scrollTop ?? 0];
  const region = scrollable("Cohorts, table", table);
  region.classList.add("tall");
  root.replaceChildren(rows.length > 0 ? region : el("p", { class: "hint" }, "No cohort yet."));
  region.scrollTo(left, top);
}

function line({ month: began, size, customers }, { firstAge, highest, unit, ages }) {
  const cells = customers.map((some, age) => {
    const share = some / size;
    const heat = age < firstAge || highest === 0 ? null : Math.round((share / highest) * STEPS);
    return el(
      "td",
      { class: heat === null ? "whole" : `h${heat}`, "data-age": age },
      el("data", { value: some }, unit === "share" ? percent(share) : count(some)),
    );
  });
  const rest = Array.from({ length: ages - customers.length }, () => el("td", { class: "later" }));
  return el(
    "tr",
    { "data-cohort": began },
    el("th", { scope: "row" }, month.format(new Date(`${began}-01T00:00:00Z`))),
    el("td", { class: "size" }, count(size)),
    cells,
    rest,
  );
}
