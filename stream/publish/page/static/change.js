// A number against the one of the window before: how much, and whether that is good.

import { points, relative } from "./format.js";

/**
 * Two texts and a mood: the change, and what it was before.
 *
 * isComparable: the windows are of the same length and the events span both. A month that has just
 * begun says nothing against a whole one; then only what it was before is told.
 */
export function changeOf({ format, isRatio, better }, now, before, isComparable) {
  if (before === undefined) return { text: "", was: "nothing before", mood: "none" };
  const was = format(before);
  const hasChange = isComparable && now !== undefined && (isRatio || before !== 0);
  if (!hasChange) return { text: "", was: `before: ${was}`, mood: "none" };
  const size = isRatio ? points(now - before) : relative((now - before) / before);
  if (size.startsWith("±")) return { text: size, was: `from ${was}`, mood: "none" };
  const isUp = now > before;
  return { text: `${isUp ? "▲" : "▼"} ${size}`, was: `from ${was}`, mood: mood(better, isUp) };
}

function mood(better, isUp) {
  if (better === null) return "none";
  return (better === "up") === isUp ? "good" : "bad";
}
