// Puts the parts together: events make the tiles new at once, the rest follows a little later.

import { showAlerts } from "./alerts.js";
import { Refused, samples } from "./api.js";
import { isCalendar, windowTitle } from "./catalogue.js";
import { Charts } from "./charts.js";
import { Choices } from "./choices.js";
import { showCohorts } from "./cohorts.js";
import { byId, setOptions, setText } from "./dom.js";
import { instant } from "./format.js";
import { showHealth } from "./health.js";
import { Live } from "./live.js";
import { Repeated } from "./repeated.js";
import { showRevenue } from "./revenue.js";
import { dimensionsOf, Segments } from "./segments.js";
import { showStages } from "./stages.js";
import { showTiles } from "./tiles.js";

const charts = new Charts(byId("charts"));
const segments = new Segments(byId("segment-table"));
const choices = new Choices(start);
const live = new Live({ health: onHealth, numbers: onNumbers, connection: onConnection });
const details = new Repeated(showDetails);
const alerts = new Repeated(() => showAlerts(byId("alerts"), byId("alert-list"), choices.store));
const LOOK_AGAIN_MS = 2_000;
let hasStores = false;
let lookedAt = -Infinity;
let numbersShown = "";

/** Finds out which stores and windows there are, and offers them. */
async function lookUp() {
  lookedAt = performance.now();
  const found = await samples({ name: "retention_orders", dimension: "all" });
  const names = (label) => [...new Set(found.map(({ labels }) => labels[label]))];
  hasStores = found.length > 0;
  if (hasStores) {
    choices.offer(
      names("store").sort(),
      names("window").filter((window) => !window.startsWith("prev_")),
    );
  }
}

/** Follows what is chosen, if there is anything yet; how the worker is, in any case. */
async function start() {
  await lookUp().catch(unlessRefused);
  live.follow({ store: choices.store ?? "default", window: choices.window ?? "30d" });
  if (!hasStores) return;
  alerts.now();
  details.now();
}

function unlessRefused(error) {
  if (!(error instanceof Refused)) throw error;
}

function onConnection(isUp) {
  setText(byId("connection"), isUp ? "Live" : "Connection lost, trying again");
  byId("connection").dataset.mood = isUp ? "good" : "bad";
}

function onHealth(health) {
  showHealth(byId("health-facts"), health);
  setText(byId("as-of"), health.as_of === null ? "" : `as of ${instant(health.as_of)}`);
  const text = whyNothing(health);
  setText(byId("notice"), text);
  byId("notice").hidden = text === "";
  for (const id of ["now", "past", "cohorts"]) byId(id).hidden = text !== "";
  if (text !== "") for (const id of ["alerts", "stages", "segments"]) byId(id).hidden = true;
  const mayHave = health.speaks && health.partitions_ready === health.partitions_expected;
  if (mayHave && !hasStores && performance.now() - lookedAt > LOOK_AGAIN_MS) start();
}

function whyNothing({ speaks, ready, partitions_ready: counted, partitions_expected: all }) {
  if (!speaks) return "The worker that owns partition 0 shows the numbers; this page shows how this worker is.";
  if (counted < all) return "No numbers yet: they appear when every partition is ready.";
  if (!hasStores) return ready ? "No numbers yet: they appear with the first events." : "Not ready yet.";
  return "";
}

function onNumbers({ store, window, mature, now, before }) {
  if (!hasStores || store !== choices.store || window !== choices.window) return;
  const numbers = { now, before, isComparable: mature !== false && !isCalendar(window) };
  showTiles(byId("tiles"), numbers);
  showRevenue(byId("revenue"), numbers);
  setText(byId("now-hint"), hint(window, mature));
  Object.assign(byId("now").dataset, { store, window });
  const wanted = JSON.stringify([now, before]);
  if (wanted !== numbersShown) {
    alerts.soon();
    details.soon();
  }
  numbersShown = wanted;
}

function hint(window, mature) {
  const title = windowTitle(window);
  if (isCalendar(window)) return `${title} so far; beside it the one before, whole.`;
  if (mature === false) {
    return `${title}. The events do not yet span this window and the one before it, so nothing is compared.`;
  }
  return `${title}, against as long a time before.`;
}

/** Charts, cohorts and segments; one refused does not keep the others away. */
async function showDetails() {
  await lookUp();
  if (!hasStores) return;
  const { store, window, range } = choices;
  const dimensions = await dimensionsOf(store, window);
  byId("segments").hidden = dimensions.length === 0;
  const chosen = byId("dimension").value;
  const dimension = dimensions.includes(chosen) ? chosen : dimensions[0];
  if (dimension !== undefined) {
    setOptions(byId("dimension"), dimensions.map((name) => [name, name]), dimension);
    await segments.show({ store, window, dimension });
  }
  await showStages(byId("stages"), byId("stage-list"), store);
  await showCohorts(byId("heat"), {
    store,
    kind: byId("cohort-kind").value,
    unit: byId("cohort-unit").value,
  });
  try {
    await charts.show({ store, window, range });
    setText(byId("past-hint"), "Each point is what the numbers above were then.");
  } catch (error) {
    unlessRefused(error);
    setText(byId("past-hint"), `The past cannot be shown at the moment: ${error.message}.`);
  }
}

for (const id of ["cohort-kind", "cohort-unit", "dimension"]) {
  byId(id).addEventListener("change", () => details.now());
}
byId("plain").hidden = true;
byId("live").hidden = false;
start();
