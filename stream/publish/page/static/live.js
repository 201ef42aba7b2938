// The worker's events, for as long as somebody looks at the page.

const AGAIN_MS = 10_000;

/** Listens to one store and window at a time. */
export class Live {
  #handlers;
  #scene = null;
  #source = null;
  #timer = 0;

  /** `handlers`: health(data), numbers(data) and connection(isUp). */
  constructor(handlers) {
    this.#handlers = handlers;
    // Browsers open few connections to a host: a page nobody looks at must not hold one.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#close();
      else this.#open();
    });
  }

  follow(scene) {
    this.#scene = scene;
    this.#open();
  }

  #open() {
    this.#close();
    if (this.#scene === null || document.hidden) return;
    const source = new EventSource(`/api/v1/events?${new URLSearchParams(this.#scene)}`);
    this.#source = source;
    source.onopen = () => this.#handlers.connection(true);
    source.onerror = () => {
      this.#handlers.connection(false);
      // The browser tries again by itself unless it was refused.
      if (source.readyState === EventSource.CLOSED) {
        this.#timer = setTimeout(() => this.#open(), AGAIN_MS);
      }
    };
    for (const event of ["health", "numbers"]) {
      source.addEventListener(event, ({ data }) => this.#handlers[event](JSON.parse(data)));
    }
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }
}
