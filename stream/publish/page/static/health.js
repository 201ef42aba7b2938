// How the worker is: what it has read, what became of it, what is still to be read.

import { el, scrollable } from "./dom.js";
import { count, instant } from "./format.js";

/** Shows one `health` event. */
export function showHealth(root, health) {
  const wanted = JSON.stringify(health);
  if (root.dataset.shown === wanted) return;
  root.dataset.shown = wanted;
  const isOpen = root.querySelector("details")?.open ?? false;
  root.replaceChildren(facts(health), details(health, isOpen));
}

function facts(health) {
  const lag = sum(health.lag_events);
  const letters = sum(health.dead_letters);
  const read = Object.values(health.outcomes).reduce((all, topic) => all + sum(topic), 0);
  const ready = health.partitions_ready ?? health.partitions_here;
  const where = health.partitions_ready === null ? "on this worker" : "counted";
  return el(
    "dl",
    { class: "facts" },
    fact("Worker", health.ready ? "ready" : restoring(health), health.ready ? "good" : "bad", "worker"),
    fact(
      "Partitions",
      `${ready} of ${health.partitions_expected} ${where}`,
      ready === health.partitions_expected ? "good" : "bad",
      "partitions",
    ),
    fact("Still to be read", `${count(lag)} events`, null, "lag"),
    fact("Read since the start", `${count(read)} events`, null, "read"),
    fact("Could not be used", `${count(letters)} events`, letters > 0 ? "bad" : "good", "letters"),
    fact("As of", instant(health.as_of), null, "as-of"),
    fact("Latest event", instant(health.last_event), null, "last-event"),
  );
}

function fact(term, text, mood, name) {
  return el("div", { "data-fact": name }, el("dt", {}, term), el("dd", { "data-mood": mood }, text));
}

function restoring({ restore }) {
  if (restore === null) return "not ready";
  const [done, total] = restore;
  return `restoring: ${count(done)} of ${count(total)} records`;
}

function details(health, isOpen) {
  const topics = Object.keys(health.outcomes);
  const outcomes = [...new Set(topics.flatMap((topic) => Object.keys(health.outcomes[topic])))];
  const table = el(
    "table",
    {},
    el("caption", {}, "Events this worker read since its start, by what became of them"),
    el(
      "thead",
      {},
      el("tr", {}, ["Topic", ...outcomes, "still to be read"].map((text) => el("th", { scope: "col" }, text))),
    ),
    el(
      "tbody",
      {},
      topics.map((topic) =>
        el(
          "tr",
          { "data-topic": topic },
          el("th", { scope: "row" }, topic),
          outcomes.map((outcome) =>
            el("td", { "data-outcome": outcome }, count(health.outcomes[topic][outcome] ?? 0)),
          ),
          el("td", {}, count(health.lag_events[topic] ?? null)),
        ),
      ),
    ),
  );
  const letters = Object.entries(health.dead_letters).map(([reason, events]) =>
    el("li", {}, `${reason}: ${count(events)}`),
  );
  return el(
    "details",
    isOpen ? { open: "" } : {},
    el("summary", {}, "Topic by topic"),
    topics.length > 0 ? scrollable("Events by topic, table", table) : el("p", {}, "Nothing read yet."),
    letters.length > 0 ? el("div", {}, el("h3", {}, "Dead letters by reason"), el("ul", {}, letters)) : null,
  );
}

function sum(numbers) {
  return Object.values(numbers).reduce((all, number) => all + number, 0);
}
