#include <tinyllm/model/text/jinja_template.h>

#include <tinyllm/model/text/jinja/answers.h>
#include <tinyllm/model/text/jinja/context.h>
#include <tinyllm/model/text/jinja/parser.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

namespace tinyllm {

struct JinjaTemplate::Parsed {
  jinja::Program program;
};

namespace {

std::tm local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return local;
}

jinja::Text run(const jinja::Block& block, const JinjaInput& input, const std::tm& now, jinja::Budget& budget) {
  jinja::Evaluator evaluator(jinja::globals_of(input, budget), now, budget);
  try {
    return evaluator.run(block);
  } catch (const Error& error) {
    throw Error("chat template, line {}: {}", evaluator.line(), error.what());
  }
}

bool is_assistant(const nlohmann::ordered_json& message) {
  const auto role = message.find("role");
  return role != message.end() && (*role == "assistant" || *role == "model");
}

// Cuts a text into runs: where its origin changes, and where an answer begins or ends.
std::vector<JinjaRun> runs_of(const jinja::Text& text, const std::vector<jinja::Answer>& answers) {
  std::vector<JinjaRun> runs;
  auto answer = answers.begin();
  size_t begin = 0;
  for (const jinja::Text::Run& run : text.runs()) {
    while (begin < run.end) {
      while (answer != answers.end() && answer->end <= begin) ++answer;
      const bool learned = answer != answers.end() && answer->begin <= begin;
      size_t end = run.end;
      if (answer != answers.end()) end = std::min(end, learned ? answer->end : answer->begin);
      const int own = std::max(run.origin.source, jinja::kFromTemplate);
      runs.push_back({std::string(text.bytes().substr(begin, end - begin)), run.origin.source != jinja::kFromTemplate,
                      learned, learned && own < 0 ? answer->message : own});
      begin = end;
    }
  }
  return runs;
}

}  // namespace

JinjaTemplate::JinjaTemplate(std::string_view source) {
  if (source.size() > kMaxSourceBytes) {
    throw Error("chat template: has {} bytes, expected at most {}", source.size(), kMaxSourceBytes);
  }
  check_utf8(source, "chat template");
  try {
    parsed_ = std::make_unique<const Parsed>(Parsed{jinja::parse(source)});
  } catch (const Error& error) {
    throw Error("chat template, {}", error.what());
  }
}
JinjaTemplate::~JinjaTemplate() = default;
JinjaTemplate::JinjaTemplate(JinjaTemplate&&) noexcept = default;
JinjaTemplate& JinjaTemplate::operator=(JinjaTemplate&&) noexcept = default;

std::vector<JinjaRun> JinjaTemplate::render(const JinjaInput& input, bool find_learned) const {
  jinja::Budget budget(kMaxSteps);
  const std::tm now = input.now ? *input.now : local_time();
  const jinja::Text text = run(parsed_->program.block, input, now, budget);
  if (!find_learned) return runs_of(text, {});
  if (parsed_->program.has_generation) return runs_of(text, jinja::answers_of_blocks(text));
  const auto is_answer = [&](int32_t message) { return is_assistant(input.messages[static_cast<size_t>(message)]); };
  const auto render_first = [&](int32_t messages, bool prompt) {
    JinjaInput first = input;
    first.messages.erase(first.messages.begin() + messages, first.messages.end());
    first.add_generation_prompt = prompt;
    try {
      return run(parsed_->program.block, first, now, budget);
    } catch (const Error&) {
      if (budget.is_spent()) throw;
      return jinja::Text();
    }
  };
  return runs_of(text, jinja::answers_of_messages(text, input.eos_token, is_answer, render_first));
}

}  // namespace tinyllm
