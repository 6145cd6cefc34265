#include <tinyllm/train/problems/scene.h>

#include <tinyllm/runtime/reason/calculator.h>
#include <tinyllm/train/problems/chain.h>
#include <tinyllm/train/problems/words.h>

#include <algorithm>

namespace tinyllm::problems {

bool Kind::may_be_longer() const {
  return std::any_of(numbers.begin(), numbers.end(), [](const Number& n) { return n.may_be_longer(); });
}

std::optional<std::string> written(const Rational& value, Form form) {
  switch (form) {
    case Form::whole:
      return value.is_integer() ? std::optional(value.str()) : std::nullopt;
    case Form::decimal:
      return value.decimal(4);
    case Form::fraction:
      return value.str();
    default: {
      Arithmetic arithmetic;
      const Rational percents = arithmetic.product(value, 100);
      return percents.is_integer() ? std::optional(percents.str() + "%") : std::nullopt;
    }
  }
}

Rational value_of(const std::string& expression) {
  const Calculated calculated = calculate(expression);
  const auto* value = std::get_if<Rational>(&calculated);
  if (value == nullptr) throw Error("{}: is {}, expected a number", expression, str(calculated));
  return *value;
}

int64_t Scene::whole(std::string_view name) const {
  const auto found = values.find(name);
  if (found == values.end()) throw Error("kind {}: {} is no number", kind->name, name);
  return std::stoll(found->second.text);
}

void Scene::put(const std::string& name, int64_t value) {
  const std::string text = std::to_string(value);
  values[name] = {value, text, text};
}

bool Scene::put(const std::string& name, const Rational& value, Form form) {
  const std::optional<std::string> text = written(value, form);
  if (text) values[name] = {value, *text, *text};
  return text.has_value();
}

std::string Scene::filled(std::string_view text, bool is_question) const {
  std::string result;
  while (!text.empty()) {
    const size_t open = std::min(text.find('{'), text.size());
    result += text.substr(0, open);
    text.remove_prefix(open);
    if (text.empty()) break;
    const size_t close = text.find('}');
    if (close == text.npos) throw Error("kind {}: {} is not closed", kind->name, text);
    const std::string_view name = text.substr(1, close - 1);
    const auto value = values.find(name);
    const auto word = words.find(name);
    if (value != values.end()) {
      result += is_question ? value->second.said : value->second.text;
    } else if (word != words.end()) {
      result += word->second;
    } else {
      throw Error("kind {}: {{{}}} is neither a number nor a word", kind->name, name);
    }
    text.remove_prefix(close + 1);
  }
  return result;
}

bool Scene::holds(const std::string& condition) const {
  const std::string text = filled(condition);
  const Calculated calculated = calculate(text);
  const auto* holds = std::get_if<bool>(&calculated);
  if (holds == nullptr) throw Error("kind {}: {}: is {}, expected a comparison", kind->name, text, str(calculated));
  return *holds;
}

std::optional<Scene> draw_scene(const Kind& kind, int level, Language language, bool longer,
                                const std::optional<Taken>& taken, Random& random) {
  Scene scene{.kind = &kind, .level = level, .language = language, .random = &random};
  draw_words(scene);
  for (const Number& number : kind.numbers) {
    if (taken && number.name == kind.takes) {
      if (taken->value < number.low) return {};
      scene.values[number.name] = {taken->value, taken->value.str(), taken->letter};
      scene.numbers.push_back(0);
      continue;
    }
    const int64_t high = longer && number.may_be_longer() ? 10 * kind.longest(number, level)
                                                          : number.high[static_cast<size_t>(level) - 1];
    const int64_t value = scene.draw(number.low, high);
    scene.put(number.name, value);
    scene.numbers.push_back(value);
  }
  for (const Given& given : kind.given) {
    if (!scene.put(given.name, value_of(scene.filled(given.expression)), given.form)) return {};
  }
  for (const std::string& condition : kind.conditions) {
    if (!scene.holds(condition)) return {};
  }
  scene.steps = kind.steps;
  scene.operations = {kind.name};
  if (kind.arrange != nullptr && !kind.arrange(scene)) return {};
  return scene;
}

namespace {

// A word at the beginning of a sentence: a capital, unless it is one letter, the name of a number.
std::string as_beginning(std::string text) {
  const auto is_small = [&](size_t i) { return i < text.size() && text[i] >= 'a' && text[i] <= 'z'; };
  if (is_small(0) && is_small(1)) text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

}  // namespace

std::optional<std::string> reasoning_of(Scene& scene) {
  constexpr int64_t kMost = 999'999'999;
  const bool is_chinese = scene.language == Language::chinese;
  std::string text = scene.filled(scene.in(scene.kind->known));
  if (!text.empty()) text += is_chinese ? "。" : ". ";
  for (const Step& step : scene.steps) {
    if (!step.when.empty() && !scene.holds(step.when)) continue;
    const std::string expression = scene.filled(step.expression);
    const Rational value = value_of(expression);
    const std::string why = as_beginning(scene.filled(scene.in(step.why)));
    // "divide by 3: 6/2" may be read as the ratio 3:6.
    if (!why.empty() && why.back() >= '0' && why.back() <= '9')
      throw Error("{}: ends with a number before a colon", why);
    if (value < 0 || value > kMost) return {};
    if (!scene.put(step.name, value, step.form)) return {};
    text += why;
    if (!why.empty()) text += is_chinese ? "：" : ": ";
    text += worked_out(expression, scene.values[step.name].text, scene.language);
    text += is_chinese ? "。" : ". ";
  }
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

}  // namespace tinyllm::problems
