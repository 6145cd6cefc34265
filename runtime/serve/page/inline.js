// The text within a line of Markdown: emphasis, code, links, formulas. Time is linear in the length of the text.
import {formula} from "./formulas.js";
import {node} from "./tree.js";

const kMaxFormula = 2000;  // Characters.
const kEscaped = /[\\`*_{}[\]()#+\-.!|~$<>"']/;
// [text](address "title"), with one pair of brackets in the text and any in the address.
const kLinkText = /\[([^[\]\n]{0,999}(?:\[[^[\]\n]{0,99}\][^[\]\n]{0,99})?)\]/.source;
const kLinkTarget = /\(\s?<?([^()\s<>]*(?:\([^()\s<>]*\)[^()\s<>]*)*)>?(?:\s+"[^"\n]*")?\s?\)/.source;
const kLink = new RegExp(kLinkText + kLinkTarget, "y");
const kOrdinary = /[^\\`$!\[h*_~\n]+/y;  // What begins nothing.
const kAddress = /https?:\/\/[^\s<>"'`*，。；：！？、（）《》「」【】]+/y;

const tags = {"***": ["strong", "em"], "**": ["strong"], "__": ["strong"], "*": ["em"], "_": ["em"], "~~": ["del"]};

// A link to where pages and mail are; everything else stays text. Images are links: nothing is loaded from elsewhere.
function link(address, children) {
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return null;
  return node("a", {href: address, target: "_blank", rel: "noopener noreferrer"}, children);
}

class Inline {
  constructor(text, depth) {
    this.text = text;
    this.depth = depth;
    this.at = 0;
    this.nodes = [];
    this.plain = "";
    this.open = [];                  // Marks of emphasis that wait for their end: {mark, index of its first node}.
    this.unclosed = new Set();       // Lengths of runs of backticks that have no second one.
  }

  parse() {
    while (this.at < this.text.length) {
      kOrdinary.lastIndex = this.at;
      const ordinary = kOrdinary.exec(this.text);
      if (ordinary) {
        this.plain += ordinary[0];
        this.at = kOrdinary.lastIndex;
        continue;
      }
      if (this.escape() || this.code() || this.formula() || this.link() || this.address() || this.emphasis()) continue;
      if (this.text[this.at] === "\n") {
        this.add(node("br"));
        ++this.at;
      } else {
        this.plain += this.text[this.at++];
      }
    }
    this.flush();
    return joined(this.nodes);
  }

  flush() {
    if (this.plain) this.nodes.push(this.plain);
    this.plain = "";
  }

  add(...nodes) {
    this.flush();
    this.nodes.push(...nodes);
  }

  escape() {
    if (this.text[this.at] !== "\\" || !kEscaped.test(this.text[this.at + 1] ?? "")) return false;
    if ("([".includes(this.text[this.at + 1]) && this.formula()) return true;
    this.plain += this.text[this.at + 1];
    this.at += 2;
    return true;
  }

  code() {
    if (this.text[this.at] !== "`") return false;
    const run = runAt(this.text, this.at), begin = this.at + run.length;
    let end = this.unclosed.has(run.length) ? -1 : this.text.indexOf(run, begin);
    while (end >= 0 && runAt(this.text, end) !== run) end = this.text.indexOf(run, end + runAt(this.text, end).length);
    if (end < 0) {
      this.unclosed.add(run.length);
      this.plain += run;
      this.at = begin;
      return true;
    }
    const inside = this.text.slice(begin, end).replaceAll("\n", " ");
    this.add(node("code", {}, /^ .*\S.* $/.test(inside) ? inside.slice(1, -1) : inside));
    this.at = end + run.length;
    return true;
  }

  // $…$ as pandoc reads it: no blank inside the marks, no digit after the second one, so that prices stay text.
  formula() {
    if (!"$\\".includes(this.text[this.at])) return false;
    const rest = this.text.slice(this.at, this.at + kMaxFormula);
    const found = /^\$\$([^$]+)\$\$/.exec(rest) ?? /^\\\[([^]+?)\\\]/.exec(rest);
    const inLine = /^\$((?:\\[^\n]|[^\s$\\])(?:(?:\\[^\n]|[^$\\\n])*?(?:\\[^\n]|[^\s$\\]))?)\$(?!\d)/;
    const within = found ?? (this.text[this.at] === "$" ? inLine.exec(rest) : /^\\\(([^]+?)\\\)/.exec(rest));
    if (!within) return false;
    this.add(formula(within[1], found !== null, within[0]));
    this.at += within[0].length;
    return true;
  }

  link() {
    const isImage = this.text[this.at] === "!" && this.text[this.at + 1] === "[";
    if (this.text[this.at] !== "[" && !isImage) return false;
    kLink.lastIndex = this.at + (isImage ? 1 : 0);
    const found = kLink.exec(this.text), end = kLink.lastIndex;  // The text of the link is parsed with kLink too.
    const made = found && link(found[2], isImage || this.depth > 8 ? found[1] || found[2]
                                                                   : parseInline(found[1], this.depth + 1));
    if (!made) return false;
    this.add(made);
    this.at = end;
    return true;
  }

  address() {
    if (this.text[this.at] !== "h") return false;
    kAddress.lastIndex = this.at;
    const found = kAddress.exec(this.text);
    if (!found || /\w/.test(this.text[this.at - 1] ?? "")) return false;
    const address = found[0].replace(/[.,;:!?)\]}]+$/, "");
    this.add(link(address, [address]) ?? address);
    this.at += address.length;
    return true;
  }

  // A mark ends what the same mark began, and begins something if it cannot end anything. Chinese has no blanks between
  // words, so a mark needs none outside.
  emphasis() {
    const letter = this.text[this.at];
    if (!"*_~".includes(letter)) return false;
    let end = this.at;
    while (this.text[end] === letter) ++end;
    const run = this.text.slice(this.at, end), before = this.text[this.at - 1] ?? " ", after = this.text[end] ?? " ";
    if (!(run in tags) || isWithin(run, before, after)) {
      this.plain += run;
      this.at = end;
      return true;
    }
    // The three stars of **a *b*** end the inner mark first.
    const top = this.open.at(-1)?.mark ?? "", isOpen = this.open.some((one) => one.mark === run);
    const mark = !isOpen && run.length > top.length && run.startsWith(top) && top ? top : run;
    const opened = this.open.findIndex((one) => one.mark === mark);
    if (opened >= 0 && !/\s/.test(before)) {
      this.close(opened);
    } else if (opened < 0 && !/\s/.test(after)) {
      this.flush();
      this.open.push({mark, index: this.nodes.length});
      this.nodes.push(mark);
    } else {
      this.plain += mark;
    }
    this.at += mark.length;
    return true;
  }

  // Marks within that have no end stay text.
  close(opened) {
    this.flush();
    const {mark, index} = this.open[opened];
    const [outer, inner] = tags[mark], children = joined(this.nodes.splice(index).slice(1));
    this.nodes.push(node(outer, {}, inner ? node(inner, {}, children) : children));
    this.open.length = opened;
  }
}

// Whether a run of marks is part of a name (snake_case) or of a product or power (2*3, 2**3).
function isWithin(run, before, after) {
  if (run === "**") return /\d/.test(before) && /\d/.test(after);
  return (run[0] === "_" || run === "*") && /[\w)]/.test(before) && /[\w(]/.test(after);
}

function runAt(text, at) {
  let end = at;
  while (text[end] === "`") ++end;
  return text.slice(at, end);
}

// Neighbouring texts as one.
function joined(nodes) {
  const made = [];
  for (const one of nodes) {
    if (typeof one === "string" && typeof made.at(-1) === "string") made.push(made.pop() + one);
    else made.push(one);
  }
  return made;
}

export const parseInline = (text, depth = 0) => new Inline(text, depth).parse();
