// What the page shows of the metrics, in which order and words. Formulas: docs/metrics.md.

import { amount, count, days, money, percent } from "./format.js";

/** A tile: `better` says which way is good news; null means neither. */
export const TILE_GROUPS = [
  {
    title: "Rates",
    tiles: [
      {
        key: "retention_customer_retention_ratio",
        title: "Retention",
        what: "of the customers of the window before, those who ordered again",
        better: "up",
      },
      {
        key: "retention_customer_churn_ratio",
        title: "Churn",
        what: "of the customers of the window before, those who did not order",
        better: "down",
      },
      {
        key: "retention_repeat_purchase_ratio",
        title: "Repeat purchase",
        what: "of the active customers, those with two orders or more",
        better: "up",
      },
      {
        key: "retention_returning_customer_ratio",
        title: "Returning",
        what: "of the active customers, those who had ordered before",
        better: "up",
      },
      {
        key: "retention_activation_ratio",
        title: "Activation",
        what: "of those who signed up, those with an order by now",
        better: "up",
      },
      {
        key: "retention_product_return_ratio",
        title: "Product returns",
        what: "of the units sold, those sent back",
        better: "down",
      },
    ].map((tile) => ({ ...tile, format: percent, isRatio: true })),
  },
  {
    title: "Customers",
    tiles: [
      { key: "retention_customers:active", title: "Active", what: "with an order", better: "up" },
      { key: "retention_customers:new", title: "New", what: "with their first order", better: "up" },
      { key: "retention_customers:retained", title: "Retained", what: "ordered again", better: "up" },
      { key: "retention_customers:reactivated", title: "Won back", what: "back after a pause", better: "up" },
      { key: "retention_customers:lost", title: "Lost", what: "did not order again", better: "down" },
      { key: "retention_signups:total", title: "Signups", what: "customers who signed up", better: "up" },
    ].map((tile) => ({ ...tile, format: count })),
  },
  {
    title: "Orders",
    tiles: [
      { key: "retention_orders", title: "Orders", what: "guests' included", better: "up", format: count },
      { key: "retention_units:sold", title: "Units sold", what: "guests' included", better: "up", format: count },
      {
        key: "retention_units:returned",
        title: "Units returned",
        what: "in the window, whenever sold",
        better: "down",
        format: count,
      },
      {
        key: "retention_purchase_frequency",
        title: "Orders a customer",
        what: "orders / active customers",
        better: "up",
        format: amount,
      },
      {
        key: "retention_purchase_interval_seconds",
        title: "Between orders",
        what: "mean time back to the order before",
        better: null,
        format: days,
      },
    ],
  },
];

/** What a table shows of each currency's money; it is never added up over currencies. */
export function moneyColumns(currency) {
  const format = money(currency);
  return [
    { key: `retention_revenue:${currency}:gross`, title: "Revenue, gross", better: "up", format },
    { key: `retention_revenue:${currency}:refunded`, title: "Refunded", better: "down", format },
    { key: `retention_average_order_value:${currency}`, title: "Order value, mean", better: "up", format },
  ];
}

/** Currencies by number of orders, as amounts of different currencies do not compare. */
export function currenciesOf(numbers) {
  const orders = (currency) =>
    (numbers[`retention_revenue:${currency}:gross`] ?? 0) /
    (numbers[`retention_average_order_value:${currency}`] ?? Infinity);
  return Object.keys(numbers)
    .map((key) => key.split(":"))
    .filter(([metric, , kind]) => metric === "retention_revenue" && kind === "gross")
    .map(([, currency]) => currency)
    .sort((one, other) => orders(other) - orders(one) || one.localeCompare(other, "en"));
}

export const RATES = TILE_GROUPS[0].tiles;

/** What the charts ask the past for. */
export const HISTORY_METRICS = [
  ...RATES.map((rate) => rate.key),
  "retention_customers",
  "retention_orders",
  "retention_revenue",
  "retention_average_order_value",
];

/** How far back charts go: 90 points, a step apart. */
export const RANGES = [
  { key: "30d", title: "Last 30 days", step: "8h" },
  { key: "90d", title: "Last 90 days", step: "1d" },
  { key: "1y", title: "Last year", step: "4d" },
  { key: "2y", title: "Last two years", step: "8d" },
];

const CALENDAR = {
  day: "Today",
  week: "This week",
  month: "This month",
  quarter: "This quarter",
  year: "This year",
};

export function isCalendar(window) {
  return window in CALENDAR;
}

/** "30d" → "Last 30 days", "month" → "This month". */
export function windowTitle(window) {
  if (isCalendar(window)) return CALENDAR[window];
  const [, number, unit] = /^(\d+)([a-z]+)$/.exec(window) ?? [];
  const units = { h: "hour", d: "day", w: "week" };
  if (!(unit in units)) return window;
  return number === "1" ? `Last ${units[unit]}` : `Last ${number} ${units[unit]}s`;
}

/** Segments' columns: the key of a number, its head and how it is written. */
export const SEGMENT_COLUMNS = [
  { key: "retention_customers:active", title: "Active", format: count },
  { key: "retention_customers:new", title: "New", format: count },
  { key: "retention_customers:retained", title: "Retained", format: count },
  { key: "retention_customers:reactivated", title: "Won back", format: count },
  { key: "retention_customers:lost", title: "Lost", format: count },
  { key: "retention_customer_retention_ratio", title: "Retention", format: percent },
  { key: "retention_customer_churn_ratio", title: "Churn", format: percent },
  { key: "retention_repeat_purchase_ratio", title: "Repeat", format: percent },
  { key: "retention_orders", title: "Orders", format: count },
];
