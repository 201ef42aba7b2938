// Questions to the worker that served this page.

/** What the worker answered instead, or that it did not; its message is for people. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, query) {
  const response = await fetch(`${path}?${new URLSearchParams(query)}`).catch(() => {
    throw new Refused(0, "the worker does not answer");
  });
  if (response.ok) return response.json();
  const text = await response.text();
  let message = text.trim();
  if (response.headers.get("content-type")?.startsWith("application/json")) {
    message = JSON.parse(text).error;
  }
  throw new Refused(response.status, message);
}

/** Samples of one metric or of all: [{name, labels, value}]. */
export async function samples(query) {
  const answer = await ask("/api/v1/metrics", query);
  return answer.metrics.flatMap(({ name, samples: some }) =>
    some.map(({ labels, value }) => ({ name, labels, value })),
  );
}

export function cohorts(store, kind) {
  return ask("/api/v1/cohorts", { store, kind });
}

export function history(query) {
  return ask("/api/v1/history", query);
}

export function alerts(store) {
  return ask("/api/v1/alerts", { store });
}

let known;

/** The names of the metrics that this worker can have. */
export async function knownMetrics() {
  known ??= ask("/api/v1/openapi.json", {}).then(({ paths }) => {
    const { parameters } = paths["/api/v1/metrics"].get;
    return new Set(parameters.find(({ name }) => name === "name").schema.enum);
  });
  try {
    return await known;
  } catch (error) {
    known = undefined;
    throw error;
  }
}

const PLACE = new Set(["store", "dimension", "segment", "window"]);

/** A number's name, as the events of the worker have it: "retention_revenue:EUR:gross". */
export function keyOf(name, labels) {
  const rest = Object.entries(labels).filter(([label]) => !PLACE.has(label));
  return [name, ...rest.map(([, value]) => value)].join(":");
}
