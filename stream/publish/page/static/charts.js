// The charts over time: customers, each rate, orders and revenue, all from one answer.

import { history, keyOf } from "./api.js";
import { currenciesOf, HISTORY_METRICS, RANGES, RATES } from "./catalogue.js";
import { count, money, percent, short } from "./format.js";
import { Plot } from "./plot.js";

const MOST_CURRENCIES = 3;
const wholePercent = (value) => `${Number((value * 100).toFixed(1))}%`;

/** From the top of the stack to its bottom; the lost go below the line. */
const STATUSES = [
  { key: "retention_customers:new", title: "New", colour: "--new" },
  { key: "retention_customers:reactivated", title: "Won back", colour: "--won-back" },
  { key: "retention_customers:retained", title: "Retained", colour: "--retained" },
  { key: "retention_customers:lost", title: "Lost", colour: "--lost", sign: -1 },
];

export class Charts {
  #root;
  #plots = [];
  #layout = null;

  constructor(root) {
    this.#root = root;
  }

  /** Asks for the past and draws it; throws what the worker refuses. */
  async show({ store, window, range }) {
    const { step } = RANGES.find(({ key }) => key === range);
    const answer = await history({ metric: HISTORY_METRICS.join(), store, window, step });
    const lists = new Map(answer.series.map((one) => [keyOf(one.metric, one.labels), one.values]));
    const last = Object.fromEntries([...lists].map(([key, values]) => [key, values.at(-1)]));
    this.#arrange(currenciesOf(last).slice(0, MOST_CURRENCIES));
    const nothing = answer.at.map(() => null);
    for (const { plot, series } of this.#plots) {
      plot.show(
        answer.at,
        series.map(({ key }) => lists.get(key) ?? nothing),
      );
    }
  }

  #arrange(currencies) {
    const layout = currencies.join();
    if (layout === this.#layout) return;
    this.#layout = layout;
    this.#plots = specs(currencies).map(({ title, ...spec }) => ({
      plot: new Plot(title, spec),
      series: spec.series,
    }));
    this.#root.replaceChildren(...this.#plots.map(({ plot }) => plot.figure));
  }
}

function specs(currencies) {
  const customers = {
    title: "Customers who ordered; below the line, those lost",
    series: STATUSES,
    format: count,
    axis: short,
    isStacked: true,
    height: 270,
  };
  const rates = RATES.map(({ key, title }) => ({
    title,
    series: [{ key, title, colour: "--line-1" }],
    format: percent,
    axis: wholePercent,
  }));
  const orders = {
    title: "Orders",
    series: [{ key: "retention_orders", title: "Orders", colour: "--line-1" }],
    format: count,
    axis: short,
  };
  const revenue = currencies.map((currency) => ({
    title: `Revenue, ${currency}`,
    series: [
      { key: `retention_revenue:${currency}:gross`, title: "Gross", colour: "--line-1" },
      { key: `retention_revenue:${currency}:refunded`, title: "Refunded", colour: "--line-2" },
    ],
    format: money(currency),
    axis: short,
  }));
  return [customers, ...rates, orders, ...revenue];
}
