#include <tinyllm/model/text/jinja_chat_template.h>

#include <tinyllm/model/text/jinja_template.h>
#include <tinyllm/tensor/base/json.h>

#include <algorithm>

namespace tinyllm {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson parse_ordered(std::string_view text, std::string_view what) {
  parse_json(text, what);  // Checks the limits, and reports errors in our way.
  return OrderedJson::parse(text);
}

// Templates expect arguments as an object. OpenAI's format has the object's JSON as a string.
void expand_arguments(OrderedJson& calls, std::string_view what) {
  for (OrderedJson& call : calls) {
    if (!call.is_object()) throw Error("{}: expected a list of objects", what);
    OrderedJson& function = call.contains("function") ? call["function"] : call;
    if (!function.is_object() || !function.contains("arguments")) continue;
    OrderedJson& arguments = function["arguments"];
    if (arguments.is_string()) arguments = parse_ordered(arguments.get<std::string>(), what);
  }
}

OrderedJson json_of(const Message& message, size_t number) {
  OrderedJson json = {{"role", std::string(name_of(message.role))}, {"content", message.content}};
  if (!message.name.empty()) json["name"] = message.name;
  if (!message.reasoning_content.empty()) json["reasoning_content"] = message.reasoning_content;
  if (!message.tool_call_id.empty()) json["tool_call_id"] = message.tool_call_id;
  if (!message.tool_calls.empty()) {
    const std::string what = fmt::format("message {}: tool_calls", number);
    json["tool_calls"] = parse_ordered(message.tool_calls, what);
    expand_arguments(json["tool_calls"], what);
  }
  return json;
}

// Cuts the template's own text at special tokens. If several begin at one place, the longest one counts.
class Markers {
 public:
  explicit Markers(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {
    std::erase(tokens_, "");
    std::sort(tokens_.begin(), tokens_.end(), [](const std::string& a, const std::string& b) {
      return a[0] != b[0] ? a[0] < b[0] : a.size() != b.size() ? a.size() > b.size() : a < b;
    });
  }

  // The size of the special token at the beginning of a text; 0 if there is none.
  size_t match(std::string_view text) const {
    auto token = std::lower_bound(tokens_.begin(), tokens_.end(), text[0],
                                  [](const std::string& t, char c) { return t[0] < c; });
    for (; token != tokens_.end() && (*token)[0] == text[0]; ++token) {
      if (text.starts_with(*token)) return token->size();
    }
    return 0;
  }

 private:
  std::vector<std::string> tokens_;
};

class PieceBuilder {
 public:
  explicit PieceBuilder(const Markers& markers) : markers_(markers) {}

  void add(std::string_view text, bool from_message, bool learned) {
    if (from_message) finish_template();
    if (from_message) return add_text(text, learned);
    template_.append(text);
    ends_.push_back({template_.size(), learned});
  }

  std::vector<Piece> take() {
    finish_template();
    return std::move(pieces_);
  }

 private:
  struct End {
    size_t at;
    bool learned;
  };

  // A marker may span several runs of the template's text.
  void finish_template() {
    const std::string_view text = template_;
    auto run = ends_.begin();
    for (size_t at = 0, begin = 0; at < text.size();) {
      while (run->at <= at) ++run;
      const size_t size = markers_.match(text.substr(at));
      if (size > 0) {
        pieces_.push_back({std::string(text.substr(at, size)), true, run->learned});
        begin = at += size;
        continue;
      }
      ++at;
      const bool ends = at == run->at || markers_.match(text.substr(at)) > 0;
      if (ends) {
        add_text(text.substr(begin, at - begin), run->learned);
        begin = at;
      }
    }
    template_.clear();
    ends_.clear();
  }

  void add_text(std::string_view text, bool learned) {
    if (pieces_.empty() || pieces_.back().special || pieces_.back().learned != learned) {
      pieces_.push_back({"", false, learned});
    }
    pieces_.back().text += text;
  }

  const Markers& markers_;
  std::string template_;
  std::vector<End> ends_;
  std::vector<Piece> pieces_;
};

}  // namespace

struct JinjaChatTemplate::Source {
  JinjaTemplate jinja;
};

struct JinjaChatTemplate::Input {
  JinjaSettings settings;
  Markers markers;
  JinjaInput jinja;
};

JinjaChatTemplate::JinjaChatTemplate(std::string_view source, JinjaSettings settings)
    : JinjaChatTemplate(std::make_shared<const Source>(Source{JinjaTemplate(source)}), std::move(settings)) {}

JinjaChatTemplate::JinjaChatTemplate(std::shared_ptr<const Source> source, JinjaSettings settings)
    : source_(std::move(source)) {
  JinjaInput input;
  input.bos_token = settings.bos_token;
  input.eos_token = settings.eos_token;
  input.enable_thinking = settings.enable_thinking;
  if (!settings.tools.empty()) {
    input.tools = parse_ordered(settings.tools, "tools");
    if (!input.tools.is_array()) throw Error("tools: expected a list in JSON");
  }
  if (!settings.arguments.empty()) {
    input.extra = parse_ordered(settings.arguments, "arguments of the chat template");
    if (!input.extra.is_object()) throw Error("arguments of the chat template: expected an object in JSON");
  }
  Markers markers(settings.special_tokens);
  input_ = std::make_shared<const Input>(Input{std::move(settings), std::move(markers), std::move(input)});
}

const JinjaSettings& JinjaChatTemplate::settings() const { return input_->settings; }

JinjaChatTemplate JinjaChatTemplate::with(JinjaSettings settings) const { return {source_, std::move(settings)}; }

std::vector<Piece> JinjaChatTemplate::render(const Messages& messages, const RenderOptions& options) const {
  JinjaInput input = input_->jinja;
  input.add_generation_prompt = options.add_generation_prompt;
  int last = -1;
  for (size_t i = 0; i < messages.size(); ++i) {
    input.messages.push_back(json_of(messages[i], i + 1));
    if (messages[i].role == Role::assistant) last = static_cast<int>(i);
  }
  const auto is_learned = [&](const JinjaRun& run) {
    if (run.learned && run.message >= 0 && !messages[static_cast<size_t>(run.message)].learned) return false;
    if (options.learn == Learn::all) return true;
    return run.learned && (options.learn == Learn::answers || run.message == last);
  };
  PieceBuilder pieces(input_->markers);
  for (const JinjaRun& run : source_->jinja.render(input, !options.add_generation_prompt)) {
    pieces.add(run.text, run.from_message, is_learned(run));
  }
  return pieces.take();
}

}  // namespace tinyllm
