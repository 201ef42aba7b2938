// One chart: a figure with its title, a line that reads values out, the plot, and a table.

import { el, setText } from "./dom.js";
import { date, instant } from "./format.js";

const { uPlot } = globalThis;
const HEIGHT = 170;
const AXIS_HEIGHT = 30;

/**
 * @param {string} title
 * @param {object} spec
 *   series: [{title, colour, sign}], colour being the name of a custom property;
 *   format: for values read out; axis: for the axis;
 *   height: in pixels, if not the usual;
 *   isStacked: all but those with a negative sign lie on one another.
 */
export class Plot {
  #spec;
  #title;
  #readout = el("p", { class: "readout" });
  #box = el("div", { class: "plot", role: "img" });
  #table = el("div", {});
  #details = el("details", {}, el("summary", {}, "As a table"), this.#table);
  #plot = null;
  #at = [];
  #values = [];

  constructor(title, spec) {
    this.#title = title;
    this.#spec = spec;
    this.figure = el(
      "figure",
      { class: spec.isStacked ? "chart wide" : "chart" },
      el("figcaption", {}, el("h3", {}, title), this.#readout),
      this.#box,
      this.#details,
    );
    this.#details.addEventListener("toggle", () => this.#fillTable());
    new ResizeObserver(() => this.#resize()).observe(this.#box);
    document.addEventListener("themechange", () => this.#draw());
  }

  /** `at`: instants; `values`: one list for each series, null where there is none. */
  show(at, values) {
    this.#at = at;
    this.#values = values;
    if (this.#plot === null) this.#draw();
    else this.#plot.setData(this.#data());
    this.#read(null);
    this.#box.setAttribute("aria-label", this.#summary());
    this.#fillTable();
  }

  #data() {
    const { series, isStacked } = this.#spec;
    const signed = this.#values.map((list, place) =>
      list.map((value) => (value === null ? null : value * (series[place].sign ?? 1))),
    );
    if (isStacked) {
      // From the last of the stack, which lies at the bottom, upwards.
      for (let place = signed.length - 2; place >= 0; place -= 1) {
        if (series[place].sign === -1 || series[place + 1].sign === -1) continue;
        signed[place] = signed[place].map((value, point) => value + signed[place + 1][point]);
      }
    }
    return [this.#at.map((instantText) => Date.parse(instantText) / 1000), ...signed];
  }

  #draw() {
    if (this.#at.length === 0) return;
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(), this.#data(), this.#box);
  }

  #options() {
    const { series, axis, isStacked } = this.#spec;
    const ink = resolved("--muted");
    const grid = { stroke: resolved("--line"), width: 1 };
    const font = "12px system-ui, sans-serif";
    const line = { stroke: ink, grid, ticks: { show: false }, font };
    const upper = series.filter(({ sign }) => sign !== -1).length;
    return {
      width: Math.max(this.#box.clientWidth, 120),
      height: this.#height(),
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: "past" }, points: { size: 7 } },
      scales: { y: { range: (_plot, low, high) => nice(low, high) } },
      axes: [
        { ...line, size: AXIS_HEIGHT, space: 70, values: dayTicks },
        { ...line, size: 52, values: (_plot, ticks) => ticks.map((tick) => axis(Math.abs(tick))) },
      ],
      series: [
        {},
        ...series.map(({ colour }) => ({
          stroke: resolved(colour),
          fill: resolved(isStacked || series.length === 1 ? `${colour}-fill` : "--none"),
          width: 2,
          points: { show: false },
          spanGaps: false,
        })),
      ],
      bands: isStacked
        ? Array.from({ length: upper - 1 }, (_, place) => ({ series: [place + 1, place + 2] }))
        : [],
      hooks: { setCursor: [(plot) => this.#read(plot.cursor.idx ?? null)] },
    };
  }

  #height() {
    return this.#spec.height ?? HEIGHT;
  }

  #resize() {
    const width = this.#box.clientWidth;
    if (this.#plot !== null && width > 0 && width !== this.#plot.width) {
      this.#plot.setSize({ width, height: this.#height() });
    }
  }

  /** Writes the values under the cursor, or the last ones. */
  #read(point) {
    const place = point ?? this.#at.length - 1;
    const { series, format } = this.#spec;
    if (this.#readout.childElementCount === 0) {
      this.#readout.append(
        el("span", { class: "when" }),
        ...series.map(({ title, colour }) =>
          el(
            "span",
            { class: "key" },
            el("span", { class: `swatch ${colour.slice(2)}`, "aria-hidden": "true" }),
            series.length > 1 ? `${title} ` : "",
            el("b", {}),
          ),
        ),
      );
    }
    setText(this.#readout.querySelector(".when"), date(this.#at[place]));
    this.#readout.querySelectorAll("b").forEach((element, number) => {
      setText(element, format(this.#values[number][place]));
    });
  }

  #summary() {
    const { series, format } = this.#spec;
    const parts = series.map(({ title }, number) => {
      const known = this.#values[number].filter((value) => value !== null);
      if (known.length === 0) return `${title}: no values`;
      const [low, high] = [Math.min(...known), Math.max(...known)];
      return `${title}: ${format(known[0])} at first, ${format(known.at(-1))} at last, between ${format(low)} and ${format(high)}`;
    });
    return `Line chart, ${date(this.#at[0])} to ${date(this.#at.at(-1))}. ${parts.join(". ")}.`;
  }

  #fillTable() {
    if (!this.#details.open) return;
    const { series, format } = this.#spec;
    const head = ["Time", ...series.map(({ title }) => title)];
    const rows = this.#at.map((at, place) =>
      el(
        "tr",
        {},
        el("th", { scope: "row" }, instant(at)),
        this.#values.map((list) => el("td", {}, format(list[place]))),
      ),
    );
    this.#table.replaceChildren(
      el(
        "div",
        { class: "scroll tall", role: "region", tabindex: "0", "aria-label": `${this.#title}, table` },
        el(
          "table",
          {},
          el("thead", {}, el("tr", {}, head.map((text) => el("th", { scope: "col" }, text)))),
          el("tbody", {}, rows.reverse()),
        ),
      ),
    );
  }
}

/** From 0, or from below it, to a little more than the highest; never an empty range. */
function nice(low, high) {
  const top = Math.max(high ?? 0, 0);
  const bottom = Math.min(low ?? 0, 0);
  const room = (top - bottom || 1) * 0.08;
  return [bottom < 0 ? bottom - room : 0, top + room];
}

function dayTicks(_plot, ticks) {
  const text = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  const year = new Intl.DateTimeFormat("en-GB", { month: "short", year: "2-digit", timeZone: "UTC" });
  const isLong = ticks.length > 1 && ticks.at(-1) - ticks[0] > 200 * 86400;
  return ticks.map((tick) => (isLong ? year : text).format(new Date(tick * 1000)));
}

/** A custom property as the canvas understands it: what light-dark() and mixes come to. */
function resolved(property) {
  const probe = el("span", { hidden: "" });
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
