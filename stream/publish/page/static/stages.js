// Customers by stage of their lifecycle, where the worker counts them.

import { knownMetrics, samples } from "./api.js";
import { el } from "./dom.js";
import { count, percent } from "./format.js";

const METRIC = "retention_customers_in_stage";

/** Shows how many customers of a store are in each stage; hidden where that is not known. */
export async function showStages(section, list, store) {
  const found = (await knownMetrics()).has(METRIC) ? await samples({ name: METRIC, store }) : [];
  section.hidden = found.length === 0;
  const all = found.reduce((sum, { value }) => sum + value, 0);
  list.replaceChildren(
    ...found.map(({ labels, value }) =>
      el(
        "li",
        { class: "tile", "data-stage": labels.stage },
        el("span", { class: "tile-title" }, title(labels.stage)),
        el("data", { class: "tile-value", value }, count(value)),
        el("span", { class: "tile-what" }, `${percent(all > 0 ? value / all : undefined)} of customers`),
      ),
    ),
  );
}

/** "at_risk" → "At risk" */
function title(stage) {
  const words = stage.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
