// The settings on the page: language, theme, key, system prompt, parameters.
import {$, element} from "./elements.js";
import {fits, kParameters} from "./parameters.js";
import {kLanguages, say, speak, translate} from "./words.js";

export class SettingsView {
  // changed(name): "key", "system", "language".
  constructor(settings, changed) {
    Object.assign(this, {settings, changed});
    for (const [value, text] of Object.entries(kLanguages)) {
      element($("language"), "option", {value, text, lang: value});
    }
    this.bind("language", () => this.speak());
    this.bind("theme", () => this.paint());
    this.bind("key");
    this.bind("system");
    $("open_settings").addEventListener("click", () => this.open());
    $("open_shortcuts").addEventListener("click", () => $("shortcuts").showModal());
    $("reset").addEventListener("click", () => {
      settings.parameters = {};
      settings.save();
      this.showParameters();
    });
    this.paint();
    this.speak();
  }

  // A field that is a setting of the same name.
  bind(name, done = () => {}) {
    $(name).value = this.settings[name];
    $(name).addEventListener("change", () => {
      this.settings[name] = $(name).value;
      this.settings.save();
      done();
      this.changed(name);
    });
  }

  open(field = "") {
    this.showParameters();
    $("settings").showModal();
    if (field) $(field).focus();
  }

  paint() { document.documentElement.dataset.theme = this.settings.theme; }

  speak() {
    speak(this.settings.language);
    document.documentElement.lang = this.settings.language;
    translate(document);
  }

  showParameters() {
    $("parameters").replaceChildren();
    for (const parameter of kParameters) this.addParameter(parameter);
    const label = element($("parameters"), "label", {kind: "wide"});
    element(label, "span", {text: say("stop_texts")});
    this.bindParameter(element(label, "textarea", {rows: "2"}), "stop");
  }

  addParameter(parameter) {
    const {name, low, high, fallback, isWhole} = parameter, label = element($("parameters"), "label");
    element(label, "span", {text: say(name)});
    const hint = Number.isNaN(Number(fallback)) ? say(fallback) : fallback;
    const field = element(label, "input", {inputmode: isWhole ? "numeric" : "text", autocomplete: "off",
                                           placeholder: hint, "aria-describedby": "bad-" + name});
    const problem = element(label, "small", {id: "bad-" + name});
    const check = () => {
      const isFine = fits(parameter, field.value);
      field.setAttribute("aria-invalid", String(!isFine));
      problem.textContent = isFine ? "" : say("bad_number", {name: say(name), low, high});
    };
    this.bindParameter(field, name, check);
    check();
  }

  bindParameter(field, name, check = () => {}) {
    field.value = this.settings.parameters[name] ?? "";
    field.addEventListener("input", () => {
      this.settings.parameters[name] = field.value;
      this.settings.save();
      check();
    });
  }
}
