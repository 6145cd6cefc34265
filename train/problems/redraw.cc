#include <tinyllm/train/problems/redraw.h>

#include <tinyllm/runtime/reason/answer.h>
#include <tinyllm/runtime/reason/calculator.h>
#include <tinyllm/runtime/reason/equations.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/train/problems/chain.h>
#include <tinyllm/train/problems/expression.h>
#include <tinyllm/train/problems/split.h>
#include <tinyllm/train/problems/text_numbers.h>

#include <xxhash.h>

#include <algorithm>

namespace tinyllm::problems {
namespace {

/// What a number of the reasoning is.
struct Role {
  enum class Kind : uint8_t { constant, number, percents, result };  ///< percents: the 20 of 20%.
  Kind kind = Kind::constant;
  size_t index = 0;  ///< Of a number of the question, or of a step.
};

struct RealStep {
  std::vector<Node> nodes;
  std::vector<Role> roles;  // Of the nodes that are numbers.
  const Rational& value() const { return nodes.back().value; }
};

// What stays as it is in every redraw: units of measurement, halves, the corners of a square.
bool is_usual_constant(const Rational& value) {
  static const std::vector<Rational> kUsual = [] {
    std::vector<Rational> values = {1, 2, 3, 4, 7, 10, 12, 24, 52, 60, 100, 365, 1000, 3600, 10000};
    for (const char* text : {"1/2", "1/3", "1/4", "3.14"}) values.push_back(std::get<Rational>(calculate(text)));
    return values;
  }();
  return std::find(kUsual.begin(), kUsual.end(), value) != kUsual.end();
}

Rational hundredfold(const Rational& value) {
  Arithmetic arithmetic;
  return arithmetic.product(value, 100);
}

// A value as its node writes it: a percentage or a fraction stays one.
std::string operand_like(const Node& node, const Rational& value) {
  if (node.text.starts_with('(')) return fmt::format("({})", value.str());
  return node.text.ends_with('%') ? operand(hundredfold(value)) + "%" : operand(value);
}

// Numbers that were different stay so: nobody asks what 2 kg cost if 2 kg cost 4 yuan.
bool has_equal(const std::vector<TextNumber>& numbers) {
  for (size_t i = 0; i < numbers.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (numbers[i].value == numbers[j].value) return true;
    }
  }
  return false;
}

int places_of(const Rational& value) {
  constexpr int kMost = 6;
  for (int places = 0; places <= kMost; ++places) {
    if (value.decimal(places)) return places;
  }
  return kMost + 1;
}

// Whether a result may take the place of another one: as whole, on the same side of 1, of a similar size.
bool is_plausible(const Rational& before, const Rational& now) {
  Arithmetic arithmetic;
  const Rational ratio = arithmetic.quotient(now, before);
  return places_of(now) <= places_of(before) && (before < 1) == (now < 1) && (before == 1) == (now == 1) &&
         arithmetic.product(ratio, 10) >= 1 && ratio <= 10;
}

}  // namespace

struct RealProblem::Parts {
  Language language = Language::chinese;
  std::string question = {};
  std::vector<TextNumber> numbers = {};
  std::vector<RealStep> steps = {};
  std::string chain = {};  // As it was written, without the marks; empty if there was an equation alone.
  std::vector<TextNumber> chain_numbers = {};
  std::vector<Role> chain_roles = {};
  bool is_percent = false;  // The answer.
  std::string source = {}, license = {};

  static constexpr size_t kMost = 32;  // Numbers of a question, and equations.

  std::string pattern() const { return replaced(question, numbers, std::vector<std::string>(numbers.size(), "#")); }

  std::variant<Role, Refusal> role_of(const Rational& value) const {
    std::vector<Role> found;
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i].value == value) found.push_back({Role::Kind::number, i});
      if (numbers[i].is_percent && hundredfold(numbers[i].value) == value) found.push_back({Role::Kind::percents, i});
    }
    for (size_t i = 0; i < steps.size(); ++i) {
      if (steps[i].value() == value) found.push_back({Role::Kind::result, i});
    }
    if (found.size() > 1) return Refusal::number_ambiguous;
    if (found.size() == 1) return found[0];
    if (is_usual_constant(value)) return Role{};
    return Refusal::number_unknown;
  }

  std::optional<Refusal> read_question() {
    constexpr size_t kMostBytes = 4096;
    if (question.size() > kMostBytes) return Refusal::too_long;
    numbers = numbers_in(question);
    if (numbers.size() > kMost) return Refusal::too_long;
    bool may_change = false;
    for (size_t i = 0; i < numbers.size(); ++i) {
      const TextNumber& number = numbers[i];
      if (number.is_odd || number.value <= 0 || number.digits >= number.below * 1'000'000'000)
        return Refusal::number_unread;
      if (number.below > 1 && number.digits >= number.below) return Refusal::number_unread;
      if (number.is_name) return Refusal::number_is_name;
      const bool is_whole = number.below == 1 && number.places == 0 && !number.is_percent;
      if (is_whole && has_in_words(question, number.digits)) return Refusal::number_twice;
      for (size_t j = 0; j < i; ++j) {
        if (numbers[j].value == number.value) return Refusal::number_twice;
      }
      may_change = may_change || number.digits > 1 || number.below > 1;
    }
    return may_change ? std::nullopt : std::optional(Refusal::no_number);
  }

  std::optional<Refusal> add_step(std::string_view expression) {
    if (steps.size() == kMost) return Refusal::too_long;
    const auto is_fraction = [&](const Rational& value) {
      return std::any_of(numbers.begin(), numbers.end(),
                         [&](const TextNumber& number) { return number.below > 1 && number.value == value; });
    };
    const std::optional<std::vector<Node>> nodes = parse_expression(expression, is_fraction);
    if (!nodes) return Refusal::no_equation;
    RealStep step{.nodes = *nodes, .roles = std::vector<Role>(nodes->size())};
    for (size_t i = 0; i < nodes->size(); ++i) {
      if ((*nodes)[i].sign != 0) continue;
      const auto role = role_of((*nodes)[i].value);
      if (const auto* refusal = std::get_if<Refusal>(&role)) return *refusal;
      step.roles[i] = std::get<Role>(role);
    }
    steps.push_back(std::move(step));
    return {};
  }

  // A chain with its equations between << and >>.
  std::optional<Refusal> read_chain(std::string_view text) {
    constexpr size_t kMostBytes = 16384;
    if (text.size() > kMostBytes) return Refusal::too_long;
    // Its words may say 1/2 where its equation divides 1 by another 2.
    if (std::any_of(numbers.begin(), numbers.end(), [](const TextNumber& number) { return number.below > 1; })) {
      return Refusal::number_ambiguous;
    }
    while (!text.empty()) {
      const size_t open = std::min(text.find("<<"), text.size());
      if (const auto refusal = read_words(text.substr(0, open))) return refusal;
      text.remove_prefix(open);
      if (text.empty()) break;
      const size_t close = text.find(">>"), equal = text.find('=');
      if (close == text.npos || equal > close) return Refusal::no_equation;
      if (const auto refusal = add_step(text.substr(2, equal - 2))) return refusal;
      const Calculated result = calculate(text.substr(equal + 1, close - equal - 1));
      const auto* value = std::get_if<Rational>(&result);
      if (value == nullptr || !(*value == steps.back().value())) return Refusal::false_step;
      text.remove_prefix(close + 2);
    }
    return steps.empty() ? std::optional(Refusal::no_equation) : std::nullopt;
  }

  // Words between two equations, with numbers known so far.
  std::optional<Refusal> read_words(std::string_view words) {
    for (TextNumber& number : numbers_in(words, false)) {
      if (number.is_odd) return Refusal::number_unread;
      if (number.is_name) return Refusal::number_is_name;
      const auto role = role_of(number.value);
      if (const auto* refusal = std::get_if<Refusal>(&role)) return *refusal;
      number.begin += chain.size();
      number.end += chain.size();
      chain_numbers.push_back(number);
      chain_roles.push_back(std::get<Role>(role));
    }
    chain += words;
    return {};
  }

  // Whether each number of the question has its one place in the equations. 1 stays what it is, and needs none.
  std::optional<Refusal> check_use() const {
    for (size_t i = 0; i < numbers.size(); ++i) {
      int64_t uses = 0;
      for (const RealStep& step : steps) {
        uses += std::count_if(step.roles.begin(), step.roles.end(), [&](const Role& role) {
          return (role.kind == Role::Kind::number || role.kind == Role::Kind::percents) && role.index == i;
        });
      }
      const bool changes = numbers[i].digits > 1 || numbers[i].below > 1;
      if (uses == 0 && changes) return Refusal::number_unused;
      if (uses > 1 && is_usual_constant(numbers[i].value)) return Refusal::number_ambiguous;
    }
    return {};
  }

  std::optional<Problem> with(const std::vector<TextNumber>& now) const;
  Rational value_of(const Role& role, const Rational& constant, const std::vector<TextNumber>& now,
                    const std::vector<RealStep>& done) const {
    switch (role.kind) {
      case Role::Kind::constant:
        return constant;
      case Role::Kind::number:
        return now[role.index].value;
      case Role::Kind::percents:
        return hundredfold(now[role.index].value);
      default:
        return done[role.index].value();
    }
  }
};

namespace {

// The steps of an equation, one operation each.
std::string steps_of(const std::vector<Node>& nodes, Language language) {
  const bool is_chinese = language == Language::chinese;
  std::string text =
      fmt::format(fmt::runtime(is_chinese ? "列式：{}。" : "Expression: {}. "), written(nodes, nodes.size() - 1));
  for (const Node& node : nodes) {
    if (node.sign == 0) continue;
    const auto side = [&](size_t at) { return nodes[at].sign == 0 ? nodes[at].text : operand(nodes[at].value); };
    const std::string result = operand(node.value);
    const bool has_brackets = result.starts_with('(');
    text += worked_out(side(node.left) + node.sign + side(node.right),
                       has_brackets ? result.substr(1, result.size() - 2) : result, language);
    text += is_chinese ? "。" : ". ";
  }
  if (!is_chinese) text.pop_back();
  return text;
}

}  // namespace

std::optional<Problem> RealProblem::Parts::with(const std::vector<TextNumber>& now) const {
  std::vector<RealStep> done;
  for (const RealStep& before : steps) {
    RealStep step = before;
    for (size_t i = 0; i < step.nodes.size(); ++i) {
      Node& node = step.nodes[i];
      if (node.sign != 0 || step.roles[i].kind == Role::Kind::constant) continue;
      node.value = value_of(step.roles[i], node.value, now, done);
      node.text = operand_like(node, node.value);
    }
    if (!compute(step.nodes)) return {};
    for (size_t i = 0; i < step.nodes.size(); ++i) {
      if (step.nodes[i].sign != 0 && !is_plausible(before.nodes[i].value, step.nodes[i].value)) return {};
    }
    done.push_back(std::move(step));
  }
  Problem problem{.kind = "redrawn", .level = 0, .language = language, .system = system_prompt(language)};
  std::vector<std::string> texts;
  for (const TextNumber& number : now) texts.push_back(number.text());
  problem.question = replaced(question, numbers, texts);
  if (chain.empty()) {
    problem.cot = steps_of(done.back().nodes, language);
  } else {
    texts.clear();
    for (size_t i = 0; i < chain_numbers.size(); ++i) {
      const Rational value = value_of(chain_roles[i], chain_numbers[i].value, now, done);
      const std::optional<std::string> text = written_like(chain_numbers[i], value);
      if (!text) return {};
      texts.push_back(*text);
    }
    problem.cot = replaced(chain, chain_numbers, texts);
    for (const RealStep& step : done)
      checked(fmt::format("{}={}", written(step.nodes, step.nodes.size() - 1), step.value().str()));
  }
  for (const Equation& equation : equations_in(problem.cot)) {
    if (!equation.holds()) return {};
  }
  const Rational& value = done.back().value();
  const Rational shown = is_percent ? hundredfold(value) : value;
  problem.answer = shown.decimal(4).value_or(shown.str()) + (is_percent ? "%" : "");
  problem.final =
      fmt::format(fmt::runtime(language == Language::chinese ? "答案：{}。" : "Answer: {}."), problem.answer);
  problem.source = source;
  problem.license = license;
  return problem;
}

RealProblem::RealProblem(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
RealProblem::~RealProblem() = default;
RealProblem::RealProblem(RealProblem&&) noexcept = default;
RealProblem& RealProblem::operator=(RealProblem&&) noexcept = default;

std::variant<RealProblem, Refusal> RealProblem::read(std::string_view line) {
  const Json json = parse_json_object(line, "a question");
  const auto first = [&](std::initializer_list<const char*> fields) -> std::string {
    for (const char* field : fields) {
      if (find_field(json, field) != nullptr) return text(json, field);
    }
    return "";
  };
  auto parts = std::make_unique<Parts>();
  parts->question = first({"original_text", "user", "question"});
  parts->source = text_or_none(json, "source");
  parts->license = text_or_none(json, "license");
  std::string answer = first({"ans", "answer"});
  std::string chain = first({"cot_calc"}), equation = first({"equation"});
  const size_t hashes = answer.rfind("####");
  if (hashes != std::string::npos) {
    if (chain.empty()) chain = answer.substr(0, hashes);
    answer.erase(0, hashes + 4);
  }
  if (parts->question.empty() || answer.empty()) {
    throw Error(
        "has no question with its answer: expected question and answer, original_text and ans, or user and answer");
  }
  if (chain.empty() && equation.empty()) return Refusal::no_equation;
  while (!chain.empty() && chain.back() == '\n') chain.pop_back();
  const bool has_hanzi = std::any_of(parts->question.begin(), parts->question.end(),
                                     [](char c) { return static_cast<unsigned char>(c) >= 0xE3; });
  parts->language = has_hanzi ? Language::chinese : Language::english;
  if (const auto refusal = parts->read_question()) return *refusal;
  if (equation.starts_with("x=") || equation.starts_with("X=")) equation.erase(0, 2);
  if (const auto refusal = chain.empty() ? parts->add_step(equation) : parts->read_chain(chain)) return *refusal;
  const std::optional<Rational> value = normal_answer(answer).value();
  if (!value || value->sign() <= 0) return Refusal::no_number;
  if (!(*value == parts->steps.back().value())) return Refusal::other_answer;
  if (const auto refusal = parts->check_use()) return *refusal;
  parts->is_percent = answer.ends_with('%');
  return RealProblem(std::move(parts));
}

std::optional<Problem> RealProblem::draw(uint64_t seed, uint64_t index, Split split) const {
  constexpr int kMostTries = 500;
  constexpr uint64_t kEvery = 10;
  if (split == Split::composition || split == Split::range) {
    throw Error("split {}: real questions are held out by numbers or wording", name_of(split));
  }
  const std::string pattern = parts_->pattern();
  if (is_held_out(pattern, kEvery) != (split == Split::wording)) return {};
  const std::string what = fmt::format("{} {} {}", pattern, name_of(split), index);
  Random random(seed, XXH3_64bits(what.data(), what.size()));
  for (int i = 0; i < kMostTries; ++i) {
    std::vector<TextNumber> now;
    std::string numbers = pattern;
    for (const TextNumber& number : parts_->numbers) {
      now.push_back(similar(number, random));
      numbers += fmt::format(" {}", now.back().text());
    }
    if (has_equal(now)) continue;
    if (split != Split::wording && is_held_out(numbers, kEvery) != (split == Split::numbers)) continue;
    std::optional<Problem> problem = parts_->with(now);
    if (!problem || problem->question == parts_->question) continue;
    problem->split = split;
    return problem;
  }
  return {};
}

}  // namespace tinyllm::problems
