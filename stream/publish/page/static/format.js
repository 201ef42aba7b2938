// How numbers and times are written. Times are in UTC, as everywhere in the worker.

const DASH = "–";
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const decimal = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const share = new Intl.NumberFormat("en", {
  style: "percent",
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });
const minute = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "short",
  timeZone: "UTC",
});

function orDash(write) {
  return (value) => (value === null || value === undefined ? DASH : write(value));
}

export const count = orDash((value) => whole.format(value));
export const amount = orDash((value) => decimal.format(value));
export const percent = orDash((value) => share.format(value));
export const short = orDash((value) => compact.format(value));
export const days = orDash((seconds) => {
  const number = seconds / 86400;
  return `${number < 10 ? number.toFixed(1) : whole.format(number)} days`;
});
export const money = (currency) =>
  orDash((value) => `${(Math.abs(value) < 1000 ? decimal : whole).format(value)} ${currency}`);

export const date = (at) => day.format(new Date(at));
export const instant = orDash((at) => `${minute.format(new Date(at))} UTC`);

/** Signed, with a real minus: "+1.2 points", "−3.4%". */
export function points(difference) {
  return `${signed(difference * 100, 1)} points`;
}

export function relative(ratio) {
  return `${signed(ratio * 100, 1)}%`;
}

function signed(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return `±${text}`;
  return `${value < 0 ? "−" : "+"}${text}`;
}
