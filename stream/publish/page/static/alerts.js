// What is off in the store, as the worker finds by the rules that Prometheus is given.

import { alerts } from "./api.js";
import { el } from "./dom.js";
import { instant } from "./format.js";

/** Shows what fires of a store; hidden while nothing does, or while nobody can tell. */
export async function showAlerts(section, list, store) {
  const { alerts: firing } = await alerts(store);
  const wanted = JSON.stringify(firing);
  if (section.dataset.shown === wanted) return;
  section.dataset.shown = wanted;
  list.replaceChildren(...firing.map(item));
  section.hidden = firing.length === 0;
}

function item({ alert, labels, summary, since, description, runbook }) {
  return el(
    "li",
    { "data-alert": alert, "data-signal": labels.signal },
    el("strong", {}, summary),
    ` ${since === null ? "For more than a day." : `Since ${instant(since)}.`} `,
    description,
    el("span", { class: "tile-what" }, " What to do: ", el("code", {}, runbook)),
  );
}
