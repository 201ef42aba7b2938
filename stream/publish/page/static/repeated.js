// Work that is done again and again, never twice at once and never more often than it can bear.

import { Refused } from "./api.js";

const LEAST_MS = 5_000;
const MOST_MS = 60_000;
/** Of the time the work takes, so much at least passes in between. */
const REST = 10;

export class Repeated {
  #work;
  #timer = 0;
  #isRunning = false;
  /** What was asked for while it ran: nothing, "soon" or "now". */
  #wanted = null;
  #plannedAt = Infinity;
  #tookMs = 0;

  constructor(work) {
    this.#work = work;
  }

  /** At once, or as soon as what runs is through. */
  now() {
    if (this.#isRunning) this.#wanted = "now";
    else this.#run();
  }

  /** After a pause, together with whatever else is wanted until then. */
  soon() {
    if (this.#isRunning) this.#wanted ??= "soon";
    else this.#after(this.#pause());
  }

  async #run() {
    clearTimeout(this.#timer);
    this.#plannedAt = Infinity;
    this.#isRunning = true;
    this.#wanted = null;
    const started = performance.now();
    try {
      await this.#work();
    } catch (error) {
      // The worker restarts or rebalances, or is away: the next time may do.
      if (!(error instanceof Refused)) throw error;
    } finally {
      this.#isRunning = false;
      this.#tookMs = performance.now() - started;
    }
    if (this.#wanted === "now") this.#run();
    else this.#after(this.#wanted === "soon" ? this.#pause() : MOST_MS);
  }

  #pause() {
    return Math.max(LEAST_MS, REST * this.#tookMs);
  }

  /** The sooner of what is planned and this. */
  #after(ms) {
    const at = performance.now() + ms;
    if (this.#plannedAt <= at) return;
    clearTimeout(this.#timer);
    this.#plannedAt = at;
    this.#timer = setTimeout(() => this.#run(), ms);
  }
}
