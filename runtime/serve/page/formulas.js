// A subset of LaTeX's formulas as MathML. What is not understood is shown as its source.
import {inAlphabet, isAlphabet, kAccents, kAccentsBelow, kBigOperators, kBlanks, kDelimiters, kFunctions, kIntegrals,
        kLetters, kLimits, kOperators} from "./formula_symbols.js";
import {node, textOf} from "./tree.js";

const kMaxLength = 4000, kMaxDepth = 40;
const kToken = /\\([a-zA-Z]+\*?|[^])|\d+(?:[.,]\d+)*|[^\S\n]*\n\s*|\s+|[^]/uy;

class NotUnderstood extends Error {}

// "command:frac", "number:12", "letter:x", "blank: ".
function tokensOf(source) {
  const tokens = [];
  kToken.lastIndex = 0;
  for (let found; kToken.lastIndex < source.length && (found = kToken.exec(source));) {
    if (found[1] !== undefined) tokens.push({kind: "command", text: found[1]});
    else tokens.push({kind: /^\s/.test(found[0]) ? "blank" : "plain", text: found[0]});
  }
  return tokens;
}

const own = (table, name) => Object.hasOwn(table, name) ? table[name] : undefined;
const row = (children) => children.length === 1 ? children[0] : node("mrow", {}, children);
const operator = (text, attributes = {}) => node("mo", attributes, text);
const fence = (text, side) => operator(text, {fence: "true", stretchy: "true", form: side});

class Parser {
  constructor(source, isDisplay) {
    this.tokens = tokensOf(source);
    this.at = 0;
    this.depth = 0;
    this.isDisplay = isDisplay;
  }

  peek() { return this.tokens[this.at]; }

  skipBlanks() {
    while (this.peek()?.kind === "blank") ++this.at;
  }

  isPlain(text) { return this.peek()?.kind === "plain" && this.peek().text === text; }
  isCommand(text) { return this.peek()?.kind === "command" && this.peek().text === text; }

  expect(text) {
    this.skipBlanks();
    if (!this.isPlain(text)) throw new NotUnderstood();
    ++this.at;
  }

  // Up to where isEnd holds, or to the end of the formula.
  list(isEnd) {
    if (++this.depth > kMaxDepth) throw new NotUnderstood();
    const made = [];
    for (this.skipBlanks(); this.peek() && !isEnd(); this.skipBlanks()) made.push(this.scripted());
    --this.depth;
    return made;
  }

  // Something with what stands above and below it.
  scripted() {
    const isScript = this.isPlain("^") || this.isPlain("_") || this.isPlain("'");
    const base = isScript ? node("mrow") : this.one();
    let below = null, above = null;
    for (this.skipBlanks(); this.peek(); this.skipBlanks()) {
      if (this.isPlain("_") && !below) {
        ++this.at;
        below = this.argument();
      } else if (this.isPlain("^") && !above) {
        ++this.at;
        above = this.argument();
      } else if (this.isPlain("'") && !above) {
        let primes = "";
        for (; this.isPlain("'"); ++this.at) primes += "′";
        above = operator(primes);
        if (this.isPlain("^")) { ++this.at; above = row([above, this.argument()]); }
      } else if (this.isCommand("limits") || this.isCommand("nolimits")) {
        ++this.at;
      } else {
        break;
      }
    }
    const hasLimits = base.attributes.class === "limits";
    const names = hasLimits ? ["munder", "mover", "munderover"] : ["msub", "msup", "msubsup"];
    if (below && above) return node(names[2], {}, base, below, above);
    if (below) return node(names[0], {}, base, below);
    return above ? node(names[1], {}, base, above) : base;
  }

  // What a command or a script applies to: a group or one thing.
  argument() {
    this.skipBlanks();
    if (!this.peek() || ++this.depth > kMaxDepth) throw new NotUnderstood();
    const token = this.peek();
    if (token.kind === "plain" && /^\d./.test(token.text)) {  // Only the first digit: x^12 is x¹2.
      this.tokens.splice(this.at, 1, {kind: "plain", text: token.text[0]}, {kind: "plain", text: token.text.slice(1)});
    }
    const made = this.one();
    --this.depth;
    return made;
  }

  group() {
    this.expect("{");
    const made = this.list(() => this.isPlain("}"));
    this.expect("}");
    return row(made);
  }

  one() {
    const {kind, text} = this.peek();
    if (kind === "plain" && text === "{") return this.group();
    ++this.at;
    if (kind === "command") return this.command(text);
    if (/^\d/.test(text)) return node("mn", {}, text);
    if (/^[a-zA-Z]$/.test(text)) return node("mi", {}, text);
    if ("()[]".includes(text)) return operator(text, {stretchy: "false"});
    if (text === "|") return operator(text, {stretchy: "false"});
    if (text === "-") return operator("−");
    if (text === "~") return node("mspace", {width: "0.25em"});
    if (/^[=+*/<>,.;:!?]$/.test(text)) return operator(text);
    if (/^\p{L}$/u.test(text) && text.codePointAt(0) >= 0x2e80) return this.words(text);
    if ("}&#%".includes(text)) throw new NotUnderstood();
    if (/^[\p{L}\p{Sm}\p{So}\p{Po}\p{Ps}\p{Pe}]$/u.test(text)) return node(/\p{L}/u.test(text) ? "mi" : "mo", {}, text);
    throw new NotUnderstood();
  }

  // Chinese within a formula.
  words(first) {
    let text = first;
    for (; this.peek()?.kind === "plain" && /^[\p{L}，。、；：]$/u.test(this.peek().text) &&
           this.peek().text.codePointAt(0) >= 0x2e80; ++this.at) text += this.peek().text;
    return node("mtext", {}, text);
  }

  command(name) {
    const letter = own(kLetters, name), sign = own(kOperators, name), delimiter = own(kDelimiters, name);
    if (letter) return node("mi", {}, letter);
    if (sign) return operator(sign);
    if (delimiter) return operator(delimiter, {stretchy: "false"});
    if (own(kBigOperators, name)) return this.withLimits("mo", kBigOperators[name]);
    if (own(kIntegrals, name)) return operator(kIntegrals[name]);
    if (kLimits.has(name)) return this.withLimits("mi", name);
    if (kFunctions.has(name)) return node("mi", {}, name);
    if (own(kBlanks, name) !== undefined) return node("mspace", {width: kBlanks[name] + "em"});
    if (isAlphabet(name)) return this.alphabet(name);
    if (own(kAccents, name)) return node("mover", {accent: "true"}, this.argument(), operator(kAccents[name]));
    if (own(kAccentsBelow, name)) return node("munder", {accentunder: "true"}, this.argument(),
                                              operator(kAccentsBelow[name]));
    if (/^[%#$&_]$/.test(name)) return node("mi", {}, name);
    return this.structure(name);
  }

  withLimits(tag, text) { return node(tag, this.isDisplay ? {class: "limits"} : {}, text); }

  structure(name) {
    switch (name) {
      case "frac": case "dfrac": case "tfrac": case "cfrac":
        return node("mfrac", {}, this.argument(), this.argument());
      case "binom":
        return row([fence("(", "prefix"), node("mfrac", {linethickness: "0"}, this.argument(), this.argument()),
                    fence(")", "postfix")]);
      case "sqrt": return this.root();
      case "text":
      case "textbf":
      case "textit":
      case "mathrm":
      case "mathit":
      case "mbox":
      case "textrm":
      case "mathsf":
        return node("mtext", {}, this.plainText());
      case "operatorname": case "operatorname*": return node("mi", {}, this.plainText());
      case "boxed": return node("mrow", {class: "boxed"}, this.argument());
      case "left": return this.leftRight();
      case "bigl": case "bigr": case "big": case "Big": case "bigg": case "Bigg": case "Bigl": case "Bigr":
        return operator(this.delimiter());
      case "begin": return this.environment();
      case "mod": case "bmod": return operator("mod");
      case "pmod": return row([operator("("), node("mi", {}, "mod"), node("mspace", {width: "0.3em"}), this.argument(),
                               operator(")")]);
      case "stackrel": case "overset": {
        const above = this.argument();
        return node("mover", {}, this.argument(), above);
      }
      case "underset": {
        const below = this.argument();
        return node("munder", {}, this.argument(), below);
      }
      case "displaystyle": case "textstyle": return node("mrow");
      case "not": return operator(textOf(this.argument()) + "\u0338");
      default: throw new NotUnderstood();
    }
  }

  alphabet(name) {
    const change = (tree) => typeof tree === "string" ? [...tree].map((letter) => inAlphabet(name, letter)).join("")
        : node(tree.tag, tree.attributes, tree.children.map(change));
    return change(this.argument());
  }

  root() {
    this.skipBlanks();
    if (!this.isPlain("[")) return node("msqrt", {}, this.argument());
    ++this.at;
    const degree = row(this.list(() => this.isPlain("]")));
    this.expect("]");
    return node("mroot", {}, this.argument(), degree);
  }

  // The text in braces, blanks included.
  plainText() {
    this.expect("{");
    let text = "", depth = 1;
    for (; this.peek(); ++this.at) {
      if (this.isPlain("{")) ++depth;
      if (this.isPlain("}") && --depth === 0) { ++this.at; return text.replaceAll(" ", "\u00a0"); }
      const {kind, text: word} = this.peek();
      if (kind === "command" && !/^[%#$&_{} ,]$/.test(word)) throw new NotUnderstood();
      text += word;
    }
    throw new NotUnderstood();
  }

  delimiter() {
    this.skipBlanks();
    const token = this.peek();
    if (!token) throw new NotUnderstood();
    ++this.at;
    const text = token.kind === "command" ? own(kDelimiters, token.text) : /^[()[\]|/.<>]$/.exec(token.text)?.[0];
    if (text === undefined) throw new NotUnderstood();
    return text === "." ? "" : text;
  }

  leftRight() {
    const left = this.delimiter(), inside = [];
    for (;;) {
      inside.push(...this.list(() => this.isCommand("right") || this.isCommand("middle")));
      if (!this.peek()) throw new NotUnderstood();
      const isEnd = this.isCommand("right");
      ++this.at;
      const text = this.delimiter();
      if (isEnd) return node("mrow", {}, left ? fence(left, "prefix") : [], inside, text ? fence(text, "postfix") : []);
      inside.push(operator(text, {stretchy: "true"}));
    }
  }

  environment() {
    const name = this.plainText(), kind = name.replace("*", "");
    const fences = {matrix: "", pmatrix: "()", bmatrix: "[]", vmatrix: "||", Bmatrix: "{}", Vmatrix: "‖‖", cases: "{",
                    aligned: "", align: "", array: "", gathered: "", split: "", smallmatrix: "", equation: ""};
    if (!Object.hasOwn(fences, kind)) throw new NotUnderstood();
    if (kind === "array") this.plainText();  // How columns are aligned.
    const sides = {aligned: "right left", align: "right left", split: "right left", cases: "left"}[kind];
    const table = node("mtable", {...(sides && {class: sides.replace(" ", "-")}), ...(kind !== "cases" && sides &&
                                  {displaystyle: "true"})}, this.rows(name));
    const [left, right] = fences[kind];
    return node("mrow", {}, left ? fence(left, "prefix") : [], table, right ? fence(right, "postfix") : []);
  }

  rows(name) {
    const rows = [[]];
    for (;;) {
      const isEnd = () => this.isPlain("&") || this.isCommand("\\") || this.isCommand("end");
      rows.at(-1).push(node("mtd", {}, this.list(isEnd)));
      if (!this.peek()) throw new NotUnderstood();
      const {text} = this.peek();
      ++this.at;
      if (text === "\\") rows.push([]);
      if (text === "end") break;
    }
    if (this.plainText() !== name) throw new NotUnderstood();
    const isEmpty = rows.at(-1).every((cell) => cell.children.length === 0);
    if (isEmpty && rows.length > 1) rows.pop();
    return rows.map((cells) => node("mtr", {}, cells));
  }
}

// A formula as a <math> element, or as its source (with its marks) where it is not understood.
export function formula(text, isDisplay, source) {
  try {
    if (text.length > kMaxLength) throw new NotUnderstood();
    const parser = new Parser(text.trim(), isDisplay), made = parser.list(() => false);
    return node("math", isDisplay ? {display: "block"} : {}, node("mrow", {}, made));
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    return node("code", {class: "formula"}, source);
  }
}
