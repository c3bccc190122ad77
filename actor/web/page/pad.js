// Keys and on-screen buttons as a twist. A key or a button counts from its press to its release.

const DIRECTIONS = [
  ["forward", "back"], ["right", "left"], ["down", "up"],
  ["tilt-right", "tilt-left"], ["tilt-back", "tilt-forward"], ["turn-right", "turn-left"],
];
const NAMES = { Enter: "enter", " ": "space" };

export function keyName(event) {
  return NAMES[event.key] ?? (event.key.length === 1 ? event.key.toLowerCase() : "");
}

export class Pad {
  // changed: called after every press and release.
  constructor(changed) {
    this.changed = changed;
    this.twists = new Map(); // by input: a key or a button
    this.grips = new Map(); // close or open, by input
    this.jogKeys = {};
    this.gripKeys = {};
    this.buttons = {}; // by key
    this.speed = document.getElementById("speed");
    this.speed.addEventListener("input", () => {
      document.getElementById("speed-text").textContent = `${this.speed.value} %`;
      this.changed();
    });
  }

  // jogKeys: twist by key. keys: key by request and gripper function.
  build(jogKeys, keys) {
    this.release();
    this.buttons = {};
    this.jogKeys = jogKeys;
    this.gripKeys = Object.fromEntries(["close", "open"].filter((name) => keys[name]).map((name) => [keys[name], name]));
    for (const id of ["move", "turn", "gripper"]) document.getElementById(id).replaceChildren();
    for (const [key, twist] of Object.entries(jogKeys)) {
      const axis = twist.findIndex((value) => value !== 0);
      if (axis < 0) continue;
      const name = DIRECTIONS[axis][twist[axis] > 0 ? 0 : 1];
      const button = this.button(axis < 3 ? "move" : "turn", name, key, (down) => this.set(this.twists, `b:${key}`, down && twist));
      button.style.gridArea = name;
    }
    for (const [key, name] of Object.entries(this.gripKeys)) {
      this.button("gripper", `${name} gripper`, key, (down) => this.set(this.grips, `b:${key}`, down && name));
    }
  }

  button(place, name, key, set) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(`${name.replace("-", " ")} `, Object.assign(document.createElement("kbd"), { textContent: key }));
    button.addEventListener("pointerdown", (event) => {
      button.setPointerCapture(event.pointerId);
      button.classList.add("down");
      set(true);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      button.addEventListener(end, () => {
        button.classList.remove("down");
        set(false);
      });
    }
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    document.getElementById(place).append(button);
    this.buttons[key] = button;
    return button;
  }

  // Returns whether the key jogs or grips.
  key(name, down) {
    if (name in this.jogKeys) this.set(this.twists, `k:${name}`, down && this.jogKeys[name]);
    else if (name in this.gripKeys) this.set(this.grips, `k:${name}`, down && this.gripKeys[name]);
    else return false;
    this.buttons[name]?.classList.toggle("down", down);
    return true;
  }

  set(inputs, id, value) {
    if (value ? inputs.get(id) === value : !inputs.has(id)) return; // a repeated key
    if (value) inputs.set(id, value);
    else inputs.delete(id);
    this.changed();
  }

  release() {
    if (this.twists.size + this.grips.size === 0) return;
    this.twists.clear();
    this.grips.clear();
    Object.values(this.buttons).forEach((button) => button.classList.remove("down"));
    this.changed();
  }

  state() {
    const share = this.speed.value / 100;
    const sum = [0, 0, 0, 0, 0, 0];
    for (const twist of this.twists.values()) twist.forEach((value, axis) => { sum[axis] += value * share; });
    return { twist: sum.map((value) => Math.max(-1, Math.min(1, value))), held: [...new Set(this.grips.values())] };
  }
}
