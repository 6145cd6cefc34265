// A subset of Markdown as trees (tree.js): headings, paragraphs, lists, quotes, code, tables, rules, formulas. HTML is
// text. A line break is a line break, as models mean it.
import {formula} from "./formulas.js";
import {parseInline} from "./inline.js";
import {node} from "./tree.js";
import {say} from "./words.js";

const kMaxDepth = 12;  // Of lists and quotes within each other; deeper ones are text.

const isBlank = (line) => /^\s*$/.test(line);
const kFence = /^ {0,3}(`{3,}|~{3,})\s*([^`\s]*)[^`]*$/;
const kHeading = /^ {0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#+)?\s*$/;
const kRule = /^ {0,3}([-*_])\s*(?:\1\s*){2,}$/;
const kQuote = /^ {0,3}> ?/;
const kItem = /^( {0,3})([-*+]|\d{1,9}[.)])( {1,4}(?=\S)| *$| +)/;
const kFormulaBegin = /^ {0,3}(\$\$|\\\[)/;
const kDelimiterRow = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

const isTableAt = (lines, at) => lines[at].includes("|") && at + 1 < lines.length &&
    lines[at + 1].includes("-") && kDelimiterRow.test(lines[at + 1]) &&
    cellsOf(lines[at]).length === cellsOf(lines[at + 1]).length;

// What ends a paragraph.
const kBeginnings = [kFence, kHeading, kRule, kQuote, kFormulaBegin];
const beginsBlock = (lines, at) => kBeginnings.some((kind) => kind.test(lines[at])) ||
    isTableAt(lines, at) || (kItem.test(lines[at]) && !isBlank(lines[at].replace(kItem, "")));

function readFence(lines, at) {
  const [, fence, language] = kFence.exec(lines[at]), close = new RegExp(`^ {0,3}${fence[0]}{${fence.length},}\\s*$`);
  let end = at + 1;
  while (end < lines.length && !close.test(lines[end])) ++end;
  const code = node("code", language ? {class: "language-" + language} : {}, lines.slice(at + 1, end).join("\n"));
  return [node("div", {class: "code"}, node("span", {}, language),
               node("button", {type: "button", "data-action": "copy_code", "data-word": "copy"}, say("copy")),
               node("pre", {tabindex: "0"}, code)), end + 1];
}

function readFormula(lines, at) {
  const [, begin] = kFormulaBegin.exec(lines[at]), close = begin === "$$" ? "$$" : "\\]";
  const first = lines[at].trim().slice(2);
  let end = at, text = first;
  while (!text.includes(close) && end + 1 < lines.length && !isBlank(lines[end + 1])) text += "\n" + lines[++end];
  const length = text.indexOf(close);
  if (length < 0) return [node("p", {}, node("code", {class: "formula"}, begin + text)), end + 1];
  const rest = text.slice(length + 2).trim(), made = formula(text.slice(0, length), true, begin + text);
  return [node("p", {}, made, rest ? [" ", parseInline(rest)] : []), end + 1];
}

function readQuote(lines, at, depth) {
  const inside = [];
  let end = at;
  for (; end < lines.length && !isBlank(lines[end]); ++end) {
    if (!kQuote.test(lines[end]) && (beginsBlock(lines, end) || isBlank(inside.at(-1)))) break;
    inside.push(lines[end].replace(kQuote, ""));
  }
  return [node("blockquote", {}, parseLines(inside, depth + 1)), end];
}

// Lines that are indented by two blanks belong to an item, as models write them.
function readList(lines, at, depth) {
  const [, , mark] = kItem.exec(lines[at]), isOrdered = /\d/.test(mark), items = [];
  const isOurs = (line) => {
    const found = kItem.exec(line);
    return found !== null && /\d/.test(found[2]) === isOrdered && found[2].at(-1) === mark.at(-1) && !kRule.test(line);
  };
  let end = at, isLoose = false;
  while (end < lines.length && isOurs(lines[end])) {
    const [whole] = kItem.exec(lines[end]), indent = Math.min(whole.length, 2);
    const inside = [lines[end].slice(whole.length)];
    for (++end; end < lines.length; ++end) {
      if (isBlank(lines[end])) {
        let next = end + 1;
        while (next < lines.length && isBlank(lines[next])) ++next;
        const goesOn = next < lines.length && (indentOf(lines[next]) >= indent || isOurs(lines[next]));
        if (!goesOn) break;
        isLoose = true;
        if (indentOf(lines[next]) < indent) { end = next; break; }
        inside.push("");
      } else if (indentOf(lines[end]) >= indent) {
        inside.push(lines[end].slice(Math.min(whole.length, indentOf(lines[end]))));
      } else if (isBlank(inside.at(-1)) || beginsBlock(lines, end) || kItem.test(lines[end])) {
        break;
      } else {
        inside.push(lines[end]);
      }
    }
    items.push(inside);
  }
  const start = parseInt(mark, 10);
  return [node(isOrdered ? "ol" : "ul", isOrdered && start !== 1 ? {start: String(start)} : {},
               items.map((inside) => readItem(inside, depth, isLoose))), end];
}

function readItem(lines, depth, isLoose) {
  const task = /^\[([ xX])\] +/.exec(lines[0]);
  const blocks = parseLines(task ? [lines[0].slice(task[0].length), ...lines.slice(1)] : lines, depth + 1);
  const children = isLoose ? blocks : blocks.flatMap((block) => block.tag === "p" ? block.children : [block]);
  return node("li", task ? {class: "task"} : {}, task ? [task[1] === " " ? "☐ " : "☑ "] : [], children);
}

const indentOf = (line) => /^ */.exec(line)[0].length;

function cellsOf(line) {
  const inside = line.trim().replace(/^\|/, "").replace(/(^|[^\\])\|$/, "$1");
  return inside.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function readTable(lines, at) {
  const sides = cellsOf(lines[at + 1]).map((cell) => /^:-+:$/.test(cell) ? "center" : /-:$/.test(cell) ? "right" : "");
  const row = (line, tag) => {
    const cells = cellsOf(line);
    return node("tr", {}, sides.map((side, i) =>
        node(tag, {...(tag === "th" && {scope: "col"}), ...(side && {class: side})}, parseInline(cells[i] ?? ""))));
  };
  let end = at + 2;
  while (end < lines.length && !isBlank(lines[end]) && lines[end].includes("|")) ++end;
  const table = node("table", {}, node("thead", {}, row(lines[at], "th")),
                     node("tbody", {}, lines.slice(at + 2, end).map((line) => row(line, "td"))));
  return [node("div", {class: "table", tabindex: "0"}, table), end];
}

function readParagraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && !isBlank(lines[end]) && !beginsBlock(lines, end)) ++end;
  const text = lines.slice(at, end).map((line) => line.trim()).join("\n");
  return [node("p", {}, parseInline(text)), end];
}

// The block that begins at a line, and the line after it.
function readBlock(lines, at, depth) {
  const line = lines[at], isTooDeep = depth >= kMaxDepth, heading = kHeading.exec(line);
  if (kFence.test(line)) return readFence(lines, at);
  // The page's own headings are of level 1 and 2.
  if (heading) return [node("h" + Math.min(6, heading[1].length + 2), {}, parseInline(heading[2] ?? "")), at + 1];
  if (kRule.test(line)) return [node("hr"), at + 1];
  if (kFormulaBegin.test(line)) return readFormula(lines, at);
  if (kQuote.test(line) && !isTooDeep) return readQuote(lines, at, depth);
  if (kItem.test(line) && !isTooDeep) return readList(lines, at, depth);
  if (isTableAt(lines, at)) return readTable(lines, at);
  return readParagraph(lines, at);
}

function parseLines(lines, depth) {
  const trees = [];
  for (let at = 0; at < lines.length;) {
    if (isBlank(lines[at])) { ++at; continue; }
    const [tree, end] = readBlock(lines, at, depth);
    trees.push(tree);
    at = end;
  }
  return trees;
}

const linesOf = (text) => text.replaceAll("\r\n", "\n").replaceAll("\t", "    ").split("\n");

export const parseMarkdown = (text) => parseLines(linesOf(text), 0);

// Markdown that grows at its end. Only what may still change is parsed again: the last block, and the one before it
// until two lines of the last one are complete (the second line decides whether a table begins).
export class GrowingMarkdown {
  constructor() {
    this.read = 0;       // Characters of the text whose blocks are closed.
    this.open = [];      // Trees of the blocks after them.
  }

  // Takes the whole text, which begins as the one before did. Returns the trees that are closed since then; `open`
  // holds those that are not.
  update(text) {
    const rest = text.slice(this.read), lines = linesOf(rest), closed = [];
    const starts = [], trees = [];
    for (let at = 0; at < lines.length;) {
      if (isBlank(lines[at])) { ++at; continue; }
      const [tree, end] = readBlock(lines, at, 0);
      starts.push(at);
      trees.push(tree);
      at = end;
    }
    const last = starts.findLastIndex((at) => at < lines.length - 2);
    if (last > 0) {
      closed.push(...trees.slice(0, last));
      this.read += offsetOf(rest, starts[last]);
    }
    this.open = trees.slice(Math.max(0, last));
    return closed;
  }
}

// Where a line begins in a text.
function offsetOf(text, line) {
  let at = 0;
  for (let i = 0; i < line; ++i) at = text.indexOf("\n", at) + 1;
  return at;
}
