// What the reader looks at: kept in the address, so that it can be bookmarked and passed on.

import { RANGES, windowTitle } from "./catalogue.js";
import { byId, setOptions } from "./dom.js";

const LIKED_WINDOWS = ["30d", "month"];

export class Choices {
  /** `onChange` is called when the reader chooses. */
  constructor(onChange) {
    const query = new URLSearchParams(location.search);
    this.store = query.get("store");
    this.window = query.get("window");
    this.range = query.get("range");
    for (const name of ["store", "window", "range"]) {
      byId(name).addEventListener("change", ({ target }) => {
        this[name] = target.value;
        this.#keep();
        onChange();
      });
    }
    byId("choices").addEventListener("submit", (event) => event.preventDefault());
  }

  /** Offers what there is; what was chosen stays, as far as there is such a thing. */
  offer(stores, windows) {
    const keep = (wanted, known, first) => (known.includes(wanted) ? wanted : first);
    const liked = LIKED_WINDOWS.find((window) => windows.includes(window));
    this.store = keep(this.store, stores, stores[0]);
    this.window = keep(this.window, windows, liked ?? windows[0]);
    this.range = keep(this.range, RANGES.map(({ key }) => key), "90d");
    const same = (name) => [name, name];
    setOptions(byId("store"), stores.map(same), this.store);
    setOptions(byId("window"), windows.map((name) => [name, windowTitle(name)]), this.window);
    setOptions(byId("range"), RANGES.map(({ key, title }) => [key, title]), this.range);
    byId("choices").hidden = false;
  }

  #keep() {
    const { store, window, range } = this;
    history.replaceState(null, "", `?${new URLSearchParams({ store, window, range })}`);
  }
}
