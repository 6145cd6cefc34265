// The commands of LaTeX that stand for one symbol, and those that stand for a kind of letter.

const table = (text) => Object.fromEntries(text.trim().split(/\s+/).map((pair) => pair.split("=")));

// Letters.
export const kLetters = table(`
  alpha=α beta=β gamma=γ delta=δ epsilon=ϵ varepsilon=ε zeta=ζ eta=η theta=θ vartheta=ϑ iota=ι kappa=κ lambda=λ mu=μ
  nu=ν xi=ξ pi=π varpi=ϖ rho=ρ varrho=ϱ sigma=σ varsigma=ς tau=τ upsilon=υ phi=ϕ varphi=φ chi=χ psi=ψ omega=ω
  Gamma=Γ Delta=Δ Theta=Θ Lambda=Λ Xi=Ξ Pi=Π Sigma=Σ Upsilon=Υ Phi=Φ Psi=Ψ Omega=Ω
  infty=∞ partial=∂ nabla=∇ ell=ℓ hbar=ℏ Re=ℜ Im=ℑ aleph=ℵ emptyset=∅ varnothing=∅ angle=∠ triangle=△ degree=°
  forall=∀ exists=∃ nexists=∄ top=⊤ bot=⊥ ldots=… dots=… cdots=⋯ vdots=⋮ ddots=⋱ prime=′ imath=ı jmath=ȷ
  therefore=∴ because=∵ checkmark=✓ square=□ blacksquare=■
`);

// Operators, relations and arrows.
export const kOperators = table(`
  cdot=⋅ times=× div=÷ pm=± mp=∓ ast=∗ star=⋆ circ=∘ bullet=• oplus=⊕ otimes=⊗ odot=⊙ setminus=∖ wedge=∧ vee=∨
  land=∧ lor=∨ lnot=¬ neg=¬ cap=∩ cup=∪ le=≤ leq=≤ leqslant=⩽ ge=≥ geq=≥ geqslant=⩾ lt=< gt=> ne=≠ neq=≠ approx=≈
  equiv=≡ sim=∼ simeq=≃ cong=≅ propto=∝ ll=≪ gg=≫ mid=∣ nmid=∤ parallel=∥ perp=⊥ in=∈ notin=∉ ni=∋ subset=⊂
  subseteq=⊆ supset=⊃ supseteq=⊇ to=→ rightarrow=→ leftarrow=← leftrightarrow=↔ Rightarrow=⇒ Leftarrow=⇐
  Leftrightarrow=⇔ implies=⟹ impliedby=⟸ iff=⟺ mapsto=↦ longrightarrow=⟶ uparrow=↑ downarrow=↓ rightleftharpoons=⇌
  colon=: vdash=⊢ models=⊨ prec=≺ succ=≻
`);

// Operators whose limits stand above and below them in a formula of its own line.
export const kBigOperators = table(`
  sum=∑ prod=∏ coprod=∐ bigcup=⋃ bigcap=⋂ bigoplus=⨁ bigotimes=⨂ bigvee=⋁ bigwedge=⋀
`);

// Operators whose limits stand beside them.
export const kIntegrals = table("int=∫ iint=∬ iiint=∭ oint=∮");

export const kFunctions = new Set(`arccos arcsin arctan arg cos cosh cot coth csc deg dim exp hom ker lg ln log sec sin
  sinh tan tanh`.split(/\s+/));

export const kLimits = new Set("argmax argmin det gcd inf lcm lim liminf limsup max min Pr sup".split(" "));

export const kDelimiters = {...table(`
  lbrace={ rbrace=} lbrack=[ rbrack=] langle=⟨ rangle=⟩ lfloor=⌊ rfloor=⌋ lceil=⌈ rceil=⌉ lvert=| rvert=| vert=|
  lVert=‖ rVert=‖ Vert=‖
`), "{": "{", "}": "}", "|": "‖"};

export const kAccents = table(`
  hat=^ widehat=^ bar=‾ overline=‾ vec=→ overrightarrow=→ dot=˙ ddot=¨ tilde=~ widetilde=~ overbrace=⏞
`);
export const kAccentsBelow = {underline: "_", underbrace: "⏟"};

// Widths of blanks in em.
export const kBlanks = {",": 0.17, ":": 0.22, ";": 0.28, "!": -0.17, " ": 0.25, quad: 1, qquad: 2};

// Where the capital letters of a kind of letter begin, and those that Unicode has elsewhere.
const double = {C: "ℂ", H: "ℍ", N: "ℕ", P: "ℙ", Q: "ℚ", R: "ℝ", Z: "ℤ"};
const script = {B: "ℬ", E: "ℰ", F: "ℱ", H: "ℋ", I: "ℐ", L: "ℒ", M: "ℳ", R: "ℛ", e: "ℯ", g: "ℊ", o: "ℴ"};
const fraktur = {C: "ℭ", H: "ℌ", I: "ℑ", R: "ℜ", Z: "ℨ"};
const kAlphabets = {
  mathbf: {capital: 0x1d400, small: 0x1d41a, digit: 0x1d7ce}, boldsymbol: {capital: 0x1d468, small: 0x1d482},
  mathbb: {capital: 0x1d538, small: 0x1d552, digit: 0x1d7d8, others: double},
  mathcal: {capital: 0x1d49c, small: 0x1d4b6, others: script},
  mathscr: {capital: 0x1d49c, small: 0x1d4b6, others: script},
  mathfrak: {capital: 0x1d504, small: 0x1d51e, others: fraktur},
};
export const isAlphabet = (command) => Object.hasOwn(kAlphabets, command);

// A letter or digit in an alphabet; others stay as they are.
export function inAlphabet(command, letter) {
  const {capital, small, digit, others = {}} = kAlphabets[command];
  if (letter in others) return others[letter];
  const from = (first, begin) => String.fromCodePoint(begin + letter.charCodeAt(0) - first.charCodeAt(0));
  if (/^[A-Z]$/.test(letter)) return from("A", capital);
  if (/^[a-z]$/.test(letter)) return from("a", small);
  return /^[0-9]$/.test(letter) && digit ? from("0", digit) : letter;
}
