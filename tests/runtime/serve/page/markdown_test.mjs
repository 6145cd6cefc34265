// Markdown and formulas of the chat page: node markdown_test.mjs <folder of the page>
import assert from "node:assert/strict";
import {load, run} from "./harness.mjs";

const {GrowingMarkdown, parseMarkdown} = await load("markdown");
const {formula} = await load("formulas");
const {textOf} = await load("tree");

// A tree as markup, to compare and to read. The copy button of code is left out.
function markup(tree) {
  if (Array.isArray(tree)) return tree.map(markup).join("");
  if (typeof tree === "string") return tree.replaceAll("<", "&lt;");
  if (tree.tag === "button") return "";
  const given =
      Object.entries(tree.attributes).filter(([name]) => ["href", "start", "class", "display"].includes(name));
  const attributes = given.map(([name, value]) => ` ${name}=${value}`).join("");
  return `<${tree.tag}${attributes}>${markup(tree.children)}</${tree.tag}>`;
}
const html = (text) => markup(parseMarkdown(text));
const mathOf = (text, isDisplay = false) => {
  const made = formula(text, isDisplay, "$" + text + "$");
  return made.tag === "math" ? markup(made.children[0].children) : "source";
};

await run({
  "paragraphs, headings, rules"() {
    assert.equal(html("one\ntwo\n\nthree"), "<p>one<br></br>two</p><p>three</p>");
    assert.equal(html("# Title #\ntext\n---\nmore"), "<h3>Title</h3><p>text</p><hr></hr><p>more</p>");
    assert.equal(html("#no heading"), "<p>#no heading</p>");
    assert.equal(html(""), "");
  },

  "emphasis needs no blanks in Chinese, and leaves names and products alone"() {
    assert.equal(html("这是**“重点”**和*斜体*。"), "<p>这是<strong>“重点”</strong>和<em>斜体</em>。</p>");
    assert.equal(html("***both*** ~~gone~~ **a *b***"),
                 "<p><strong><em>both</em></strong> <del>gone</del> <strong>a <em>b</em></strong></p>");
    const plain = ["2*3*4 = 24", "2**10**2", "(1+2)*(3+4)*5", "snake_case_name", "5 * 6 * 7", "**open", "a ** b ** c"];
    for (const text of plain) {
      assert.equal(html(text), `<p>${text}</p>`);
    }
  },

  "code keeps what is in it"() {
    assert.equal(html("`a*b*` and `` x`y ``"), "<p><code>a*b*</code> and <code>x`y</code></p>");
    assert.equal(
        html("```python\nif a < b:\n    **c**\n```\nafter"),
        "<div class=code><span>python</span><pre><code class=language-python>if a &lt; b:\n    **c**</code></pre>" +
            "</div><p>after</p>");
    assert.match(html("~~~\nopen"), /<pre><code>open<\/code>/);
  },

  "lists within lists, numbers that begin elsewhere, tasks"() {
    assert.equal(html("- a\n- b\n  - c\n\ntext"), "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><p>text</p>");
    assert.equal(html("3. a\n4. b"), "<ol start=3><li>a</li><li>b</li></ol>");
    assert.equal(html("1. a\n\n   more\n\n2. b"), "<ol><li><p>a</p><p>more</p></li><li><p>b</p></li></ol>");
    assert.equal(html("- [x] done\n- [ ] open"), "<ul><li class=task>☑ done</li><li class=task>☐ open</li></ul>");
    assert.equal(html("1. a\n  - b"), "<ol><li>a<ul><li>b</li></ul></li></ol>");
  },

  "tables and quotes"() {
    assert.equal(
        html("|a|b|\n|-|:-:|\n|1|2\\|3|\n|4|"),
        "<div class=table><table><thead><tr><th>a</th><th class=center>b</th></tr></thead><tbody>" +
            "<tr><td>1</td><td class=center>2|3</td></tr><tr><td>4</td><td class=center></td></tr></tbody></table>" +
            "</div>");
    assert.equal(html("> a\n> > b\nc"), "<blockquote><p>a</p><blockquote><p>b<br></br>c</p></blockquote></blockquote>");
  },

  "only links to pages and mail become links; markup and images stay text"() {
    assert.equal(html("[a](https://x.org/b_(c))"), "<p><a href=https://x.org/b_(c)>a</a></p>");
    assert.equal(html("[a [1]](https://x.org)"), "<p><a href=https://x.org>a [1]</a></p>");
    assert.equal(html("[[1] **b**](https://x.org) c"), "<p><a href=https://x.org>[1] <strong>b</strong></a> c</p>");
    assert.equal(html("见https://x.org/a。好"), "<p>见<a href=https://x.org/a>https://x.org/a</a>。好</p>");
    assert.equal(html("![cat](https://x.org/cat.png)"), "<p><a href=https://x.org/cat.png>cat</a></p>");
    for (const address of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "/local", "vbscript:x"]) {
      assert.equal(html(`[a](${address})`), `<p>[a](${address})</p>`);
    }
    assert.equal(html("<script>alert(1)</script>"), "<p>&lt;script>alert(1)&lt;/script></p>");
  },

  "formulas are found by their marks; prices are text"() {
    assert.equal(html("$x$"), "<p><math><mrow><mi>x</mi></mrow></math></p>");
    assert.equal(html("\\(x\\) and \\[x\\]"), "<p><math><mrow><mi>x</mi></mrow></math> and " +
                 "<math display=block><mrow><mi>x</mi></mrow></math></p>");
    assert.equal(html("$$\nx\n$$\nafter"), "<p><math display=block><mrow><mi>x</mi></mrow></math></p><p>after</p>");
    assert.equal(html("it costs $5 or $6"), "<p>it costs $5 or $6</p>");
    assert.equal(html("$ x $ and \\$1"), "<p>$ x $ and $1</p>");
  },

  "formulas become MathML"() {
    assert.equal(mathOf("\\frac{1}{2}"), "<mfrac><mn>1</mn><mn>2</mn></mfrac>");
    assert.equal(mathOf("x_1^2"), "<msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup>");
    assert.equal(mathOf("x^12"), "<msup><mi>x</mi><mn>1</mn></msup><mn>2</mn>");
    assert.equal(mathOf("\\sqrt[3]{x}-1"), "<mroot><mi>x</mi><mn>3</mn></mroot><mo>−</mo><mn>1</mn>");
    assert.equal(
        mathOf("\\sum_{i=1}^n", true),
        "<munderover><mo class=limits>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn>" +
            "</mrow><mi>n</mi></munderover>");
    assert.equal(mathOf("\\sum_i"), "<msub><mo>∑</mo><mi>i</mi></msub>");
    assert.equal(mathOf("\\mathbb{R}\\mathbf{x}"), "<mi>ℝ</mi><mi>𝐱</mi>");
    assert.equal(mathOf("f''(x)"), "<msup><mi>f</mi><mo>′′</mo></msup><mo>(</mo><mi>x</mi><mo>)</mo>");
    assert.equal(mathOf("\\text{若 } 面积"), "<mtext>若\u00a0</mtext><mtext>面积</mtext>");
    assert.match(
        mathOf("\\begin{cases} 1 & x>0 \\\\ 0 & x\\le 0 \\end{cases}"),
        /^<mrow><mo>\{<\/mo><mtable class=left><mtr><mtd><mn>1<\/mn><\/mtd>.*<\/mtr><mtr>.*<\/mtr><\/mtable><\/mrow>$/);
    assert.match(mathOf("\\left(\\frac{a}{b}\\right]"), /^<mrow><mo>\(<\/mo><mfrac>.*<\/mfrac><mo>\]<\/mo><\/mrow>$/);
  },

  "a formula that is not understood is shown as its source"() {
    for (const text of ["\\unknown", "{x", "x}", "\\frac{1}", "\\begin{what}x\\end{what}", "\\left(x", "a & b", "x^^2",
                        "\\text{\\bf x}", "\\constructor", "\\toString", "{".repeat(100) + "}".repeat(100),
                        "\\hat".repeat(200) + "x", "x".repeat(5000)]) {
      assert.equal(mathOf(text), "source", text);
    }
    assert.equal(html("$\\unknown$"), "<p><code class=formula>$\\unknown$</code></p>");
  },

  // Cut anywhere, in pieces of any length: what was closed stays, and the end is as if it had come at once.
  "Markdown that grows is the same as Markdown that is whole"() {
    const pieces = [
      "text ",  "**b**",   "\n",      "\n\n",       "- item\n", "  - sub\n", "1. one\n", "```\n",
      "code\n", "|a|b|\n", "|-|-|\n", "|1|2|\n",    "# head\n", "> quote\n", "$$x$$\n",  "$$\n",
      "---\n",  "-",       "=",       "    deep\n", "\t",       "\r\n",      "\\[",      "\\]",
      "[",      "]",       "](https://x.org)",     "***",      "`",         "$",        "\\"
    ];
    let state = 7;
    const random = (below) => { state = (state * 48271) % 2147483647; return state % below; };
    for (let round = 0; round < 400; ++round) {
      const text = Array.from({length: 1 + random(25)}, () => pieces[random(pieces.length)]).join("");
      const growing = new GrowingMarkdown(), closed = [];
      for (let end = 0; end < text.length;) {
        end = Math.min(text.length, end + 1 + random(9));
        closed.push(...growing.update(text.slice(0, end)));
      }
      assert.equal(markup([...closed, ...growing.open]), html(text), JSON.stringify(text));
    }
  },

  "only the end of a long answer is parsed again"() {
    const growing = new GrowingMarkdown();
    growing.update("paragraph\n\n".repeat(1000) + "the last");
    assert.equal(growing.read, "paragraph\n\n".repeat(999).length);
    assert.equal(markup(growing.open), "<p>paragraph</p><p>the last</p>");
  },

  "long and bad text ends"() {
    const bad = ["*", "_a", "`", "[", "](", "$", "\\(", "> ", "- ", "**a ", "|", "|-", "http://", "![", "~~", "$a "];
    for (const one of bad) {
      for (const text of [one.repeat(20_000), (one + "\n").repeat(5_000)]) {
        assert.ok(textOf({children: parseMarkdown(text)}).length <= text.length + 1e6);
      }
    }
  },
});
