#include <tinyllm/train/data/sample_forms.h>

#include <tinyllm/model/text/message_list.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json_repair.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <array>

namespace tinyllm {
namespace {

struct FormFields {
  SampleForm form;
  std::string_view name;
  std::vector<const char*> fields;    // By which it differs from the forms after it.
  std::vector<const char*> optional;  // Besides `system`.
};
const std::array<FormFields, 9>& forms() {
  static const std::array<FormFields, 9> kForms = {
      {{SampleForm::preference,
        "preference",
        {"chosen", "rejected"},
        {"prompt", "messages", "conversations", "instruction", "input", "user"}},
       {SampleForm::choice, "choice", {"question", "A", "B"}, {"answer", "subject", "split"}},
       {SampleForm::completion, "completion", {"prompt", "completion"}, {}},
       {SampleForm::messages, "messages", {"messages"}, {}},
       {SampleForm::sharegpt, "sharegpt", {"conversations"}, {}},
       {SampleForm::alpaca, "alpaca", {"instruction", "output"}, {"input", "history"}},
       {SampleForm::cot, "cot", {"user", "cot", "final"}, {}},
       {SampleForm::chat, "chat", {"user", "assistant"}, {}},
       {SampleForm::question, "question", {"user", "answer"}, {}}}};
  return kForms;
}

const FormFields& fields_of(SampleForm form) {
  return *std::find_if(forms().begin(), forms().end(), [&](const FormFields& f) { return f.form == form; });
}

Json parse_object(std::string_view line) {
  const size_t bad = valid_utf8(line);
  if (bad != line.size()) {
    throw Error("byte {}: 0x{:02X} is not UTF-8", bad + 1, static_cast<unsigned char>(line[bad]));
  }
  if (line.starts_with('[')) throw Error("begins a list, expected an object in each line (jq -c '.[]' makes them)");
  check_json_depth(line, "JSON");
  Json json = Json::parse(line, nullptr, false);
  try {
    if (json.is_discarded()) json = Json::parse(repair_json(line));
  } catch (const Json::parse_error& error) {
    if (error.byte > line.size()) throw Error("is cut off after {} bytes, expected a whole object", line.size());
    throw Error("byte {}: is not JSON from there on, expected one object", error.byte);
  }
  if (!json.is_object()) throw Error("is {}, expected an object", type_of(json));
  return json;
}

std::optional<SampleForm> form_of(const Json& line) {
  for (const FormFields& form : forms()) {
    const auto has = [&](const char* field) { return find_field(line, field) != nullptr; };
    if (std::all_of(form.fields.begin(), form.fields.end(), has)) return form.form;
  }
  return {};
}

[[noreturn]] void fail_of_no_form(const Json& line) {
  constexpr size_t kShown = 8;
  std::vector<std::string> found;
  for (auto field = line.begin(); field != line.end() && found.size() < kShown; ++field) {
    found.push_back(shortened(field.key()));
  }
  std::vector<std::string> known;
  for (const FormFields& form : forms()) {
    known.push_back(fmt::format("{} ({})", form.name, fmt::join(form.fields, ", ")));
  }
  throw Error("unknown form of sample, with the fields {}{}; expected those of {}", fmt::join(found, ", "),
              line.size() > kShown ? ", ..." : "", fmt::join(known, ", "));
}

std::string alpaca_user(const Json& line) {
  const std::string input = text_or_none(line, "input");
  if (is_blank(input)) return text(line, "instruction");
  const std::string instruction = text_or_none(line, "instruction");
  return is_blank(instruction) ? input : instruction + "\n" + input;
}

Conversation alpaca(const Json& line) {
  Conversation conversation;
  if (const Json* history = find_field(line, "history")) {
    if (!history->is_array()) throw Error("field history: is {}, expected a list", type_of(*history));
    for (const Json& turn : *history) {
      const auto is_text = [](const Json& words) { return words.is_string() && !is_blank(words.get<std::string>()); };
      if (!turn.is_array() || turn.size() != 2 || !is_text(turn[0]) || !is_text(turn[1])) {
        throw Error("field history: item {}: expected a list of what the user and the assistant say",
                    conversation.turns.size() + 1);
      }
      conversation.turns.push_back({turn[0].get<std::string>(), turn[1].get<std::string>()});
    }
  }
  conversation.turns.push_back({alpaca_user(line), text(line, "output")});
  return conversation;
}

// A string as a list of one message.
Json as_messages(const Json& value, const char* field, const char* role) {
  if (value.is_array()) return value;
  if (value.is_string()) return Json::array({{{"role", role}, {"content", value}}});
  throw Error("field {}: is {}, expected a string or a list of messages", field, type_of(value));
}

// What the assistant says in the prompt is not learned.
Conversation completion(const Json& line) {
  Json messages = as_messages(need_field(line, "prompt"), "prompt", "user");
  const size_t answered = conversation_of(messages, "prompt", Ends::asked).turns.size() - 1;
  for (const Json& message : as_messages(need_field(line, "completion"), "completion", "assistant")) {
    messages.push_back(message);
  }
  Conversation conversation = conversation_of(messages, "prompt and completion", Ends::answered);
  for (size_t i = 0; i < answered; ++i) conversation.turns[i].learned = false;
  return conversation;
}

Conversation prompt_of(const Json& line) {
  for (const char* field : {"prompt", "messages", "conversations"}) {
    const Json* prompt = find_field(line, field);
    if (prompt != nullptr && prompt->is_array()) return conversation_of(*prompt, field, Ends::asked);
    if (prompt != nullptr) return {{}, {{text(line, field), ""}}};
  }
  if (find_field(line, "instruction") != nullptr) return {{}, {{alpaca_user(line), ""}}};
  return {{}, {{text(line, "user"), ""}}};
}

// What a preference says of one answer.
struct Answer {
  std::optional<Conversation> prompt;  // Where messages before the answer hold it.
  std::string words;
};

Answer answer_of(const Json& line, const char* field) {
  const Json& value = need_field(line, field);
  if (value.is_string()) return {{}, text(line, field)};
  if (value.is_object() || (value.is_array() && value.size() == 1)) {
    Message message = message_of(value.is_object() ? value : value[0], fmt::format("field {}", field));
    if (message.role != Role::assistant) throw Error("field {}: expected a message of the assistant", field);
    return {{}, std::move(message.words)};
  }
  Conversation conversation = conversation_of(value, field, Ends::answered);
  std::string words = std::exchange(conversation.turns.back().assistant, {});
  return {std::move(conversation), std::move(words)};
}

bool same(const Conversation& a, const Conversation& b) {
  return a.system == b.system &&
         std::equal(a.turns.begin(), a.turns.end(), b.turns.begin(), b.turns.end(),
                    [](const Turn& x, const Turn& y) { return x.user == y.user && x.assistant == y.assistant; });
}

Preference preference(const Json& line) {
  const Answer chosen = answer_of(line, "chosen");
  const Answer rejected = answer_of(line, "rejected");
  if (chosen.prompt.has_value() != rejected.prompt.has_value() ||
      (chosen.prompt && !same(*chosen.prompt, *rejected.prompt))) {
    throw Error("fields chosen and rejected: answer different prompts, expected one");
  }
  if (chosen.words == rejected.words) throw Error("fields chosen and rejected: are the same, expected two answers");
  return {chosen.prompt ? *chosen.prompt : prompt_of(line), chosen.words, rejected.words};
}

Choice choice(const Json& line) {
  Choice choice{text_or_none(line, "subject"), text_or_none(line, "split"), text(line, "question"), {}, 0};
  for (std::string letter = "A"; letter <= "Z" && find_field(line, letter.c_str()) != nullptr; ++letter[0]) {
    choice.options.push_back(text(line, letter.c_str()));
  }
  if (choice.options.size() < 2) throw Error("field B: missing, expected two options or more");
  const std::string answer = text(line, "answer");
  const char last = static_cast<char>('A' + choice.options.size() - 1);
  if (answer.size() != 1 || answer[0] < 'A' || answer[0] > last) {
    throw Error("field answer: {}, expected a letter from A to {}", shortened(answer), last);
  }
  choice.answer = static_cast<size_t>(answer[0] - 'A');
  return choice;
}

Conversation conversation(const Json& line, SampleForm form) {
  switch (form) {
    case SampleForm::alpaca:
      return alpaca(line);
    case SampleForm::completion:
      return completion(line);
    case SampleForm::sharegpt:
      return conversation_of(need_field(line, "conversations"), "conversations", Ends::answered);
    case SampleForm::messages:
      return conversation_of(need_field(line, "messages"), "messages", Ends::answered);
    case SampleForm::cot:
      return {{}, {{text(line, "user"), reasoning(text(line, "cot"), text(line, "final"))}}};
    case SampleForm::question:
      return {{}, {{text(line, "user"), text(line, "answer")}}};
    default:
      return {{}, {{text(line, "user"), text(line, "assistant")}}};
  }
}

// The system prompt is a field in most forms; one among the messages has precedence.
Conversation with_system(Conversation conversation, const Json& line) {
  if (conversation.system.empty()) conversation.system = text_or_none(line, "system");
  return conversation;
}

bool is_one_of(std::string_view name, const std::vector<const char*>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The fields of messages that are not read.
void add_ignored(const Json& list, const std::string& field, std::vector<std::string>& ignored) {
  if (!list.is_array()) return;
  for (const Json& message : list) {
    if (!message.is_object()) continue;
    for (auto part = message.begin(); part != message.end(); ++part) {
      if (!is_one_of(part.key(), {"role", "content", "weight", "from", "value"})) {
        ignored.push_back(fmt::format("{}[].{}", field, part.key()));
      }
    }
  }
}

std::vector<std::string> ignored_fields(const Json& line, SampleForm form) {
  const FormFields& known = fields_of(form);
  std::vector<std::string> ignored;
  for (auto field = line.begin(); field != line.end(); ++field) {
    const std::string& name = field.key();
    const bool is_option = form == SampleForm::choice && name.size() == 1 && name[0] >= 'A' && name[0] <= 'Z';
    if (name == "system" || is_option || is_one_of(name, known.fields) || is_one_of(name, known.optional)) {
      add_ignored(*field, name, ignored);
    } else {
      ignored.push_back(name);
    }
  }
  for (std::string& name : ignored) name = shortened(name);
  std::sort(ignored.begin(), ignored.end());
  ignored.erase(std::unique(ignored.begin(), ignored.end()), ignored.end());
  return ignored;
}

ParsedSample parse_as(const Json& line, SampleForm form) {
  std::vector<std::string> ignored = ignored_fields(line, form);
  if (form == SampleForm::choice) return {form, choice(line), std::move(ignored)};
  if (form != SampleForm::preference) {
    return {form, with_system(conversation(line, form), line), std::move(ignored)};
  }
  Preference sample = preference(line);
  sample.prompt = with_system(std::move(sample.prompt), line);
  return {form, std::move(sample), std::move(ignored)};
}

}  // namespace

std::string_view text_of(SampleForm form) { return fields_of(form).name; }

ParsedSample parse_sample(std::string_view text, std::optional<SampleForm> form) {
  const Json line = parse_object(text);
  const std::optional<SampleForm> found = form_of(line);
  if (!form && !found) fail_of_no_form(line);
  if (form && found && *form != *found) {
    throw Error("is of the form {}, expected {} as in the lines before", text_of(*found), text_of(*form));
  }
  // When a line lacks a field of the form that is expected, reading it says which.
  return parse_as(line, form ? *form : *found);
}

}  // namespace tinyllm
