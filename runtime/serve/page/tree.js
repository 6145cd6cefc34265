// Trees of elements as plain values: what Markdown and formulas become, so that both work without a browser.
// A node is a string (text) or {tag, attributes, children}.

export const node = (tag, attributes = {}, ...children) => ({tag, attributes, children: children.flat(Infinity)});

// The text of a tree.
export const textOf = (tree) => typeof tree === "string" ? tree : tree.children.map(textOf).join("");

const isText = (tree) => typeof tree === "string";

function isSameTree(a, b) {
  if (isText(a) || isText(b)) return a === b;
  return a.tag === b.tag && a.children.length === b.children.length && hasSameAttributes(a, b) &&
         a.children.every((child, i) => isSameTree(child, b.children[i]));
}

function hasSameAttributes(a, b) {
  const names = Object.keys(a.attributes);
  return names.length === Object.keys(b.attributes).length &&
         names.every((name) => a.attributes[name] === b.attributes[name]);
}

const kMathMl = "http://www.w3.org/1998/Math/MathML";

// The element or text of a tree. There is no way from text to markup: text stays text.
export function build(tree, isMath = false) {
  if (isText(tree)) return document.createTextNode(tree);
  const inMath = isMath || tree.tag === "math";
  const element = inMath ? document.createElementNS(kMathMl, tree.tag) : document.createElement(tree.tag);
  for (const [name, value] of Object.entries(tree.attributes)) element.setAttribute(name, value);
  for (const child of tree.children) element.append(build(child, inMath));
  return element;
}

// Changes the children of an element from trees `before` to trees `after`, touching only what differs: a selection in
// the rest stays.
export function patchChildren(parent, before, after, first = 0) {
  after.forEach((tree, i) => {
    if (i >= before.length) return parent.append(build(tree, isInMath(parent)));
    const old = before[i], shown = parent.childNodes[first + i];
    if (isSameTree(old, tree)) return;
    if (isText(old) && isText(tree)) {
      shown.data = tree;
    } else if (!isText(old) && !isText(tree) && old.tag === tree.tag && hasSameAttributes(old, tree)) {
      patchChildren(shown, old.children, tree.children);
    } else {
      shown.replaceWith(build(tree, isInMath(parent)));
    }
  });
  for (let i = before.length; i > after.length; --i) parent.lastChild.remove();
}

const isInMath = (element) => element.namespaceURI === kMathMl;
