// What the reader has chosen. The key is kept for as long as the tab is; the rest stays in this browser.

const kName = "tinyllm", kKeyName = "tinyllm-key";

function read(storage, name) {
  try { return storage().getItem(name) ?? ""; } catch { return ""; }
}

function write(storage, name, text) {
  try { storage().setItem(name, text); } catch { /* Kept for this page only. */ }
}

const lasting = () => localStorage, passing = () => sessionStorage;

function stored() {
  try { return JSON.parse(read(lasting, kName)) ?? {}; } catch { return {}; }
}

export class Settings {
  constructor(defaults) {
    Object.assign(this, {theme: "auto", language: "en", system: "", model: "", parameters: {}}, defaults, stored());
    this.key = read(passing, kKeyName);
  }

  save() {
    const {key, ...rest} = this;
    write(lasting, kName, JSON.stringify(rest));
    write(passing, kKeyName, key);
  }
}
