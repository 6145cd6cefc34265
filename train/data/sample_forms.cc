#include <tinyllm/train/data/sample_forms.h>

#include <tinyllm/model/text/messages_json.h>
#include <tinyllm/model/text/reasoning.h>
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
  std::vector<const char*> fields;    // They distinguish it from the forms after it.
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

Messages asked_and_answered(std::string user, std::string assistant) {
  return {{Role::user, std::move(user)}, {Role::assistant, std::move(assistant)}};
}

Messages alpaca(const Json& line) {
  Messages messages;
  if (const Json* history = find_field(line, "history")) {
    if (!history->is_array()) throw Error("field history: is {}, expected a list", type_of(*history));
    for (const Json& turn : *history) {
      const auto is_text = [](const Json& words) { return words.is_string() && !is_blank(words.get<std::string>()); };
      if (!turn.is_array() || turn.size() != 2 || !is_text(turn[0]) || !is_text(turn[1])) {
        throw Error("field history: item {}: expected a list of two texts, by the user and by the assistant",
                    messages.size() / 2 + 1);
      }
      messages.push_back({Role::user, turn[0].get<std::string>()});
      messages.push_back({Role::assistant, turn[1].get<std::string>()});
    }
  }
  messages.push_back({Role::user, alpaca_user(line)});
  messages.push_back({Role::assistant, text(line, "output")});
  return messages;
}

// Checks the messages of a sample: their order, and that they end with an answer or, if `last` is user, with something
// to answer. Only messages of the system and of tools may be empty.
Messages checked(Messages messages, const std::string& where, Role last) {
  check_order(messages, where);
  for (size_t i = 0; i < messages.size(); ++i) {
    const Message& message = messages[i];
    const bool says_something = !is_blank(message.content) || !message.tool_calls.empty();
    if (!says_something && (message.role == Role::user || message.role == Role::assistant)) {
      throw Error("{}: message {}: is empty, expected text", where, i + 1);
    }
  }
  const bool is_asked = messages.back().role == Role::user || messages.back().role == Role::tool;
  if (last == Role::user ? !is_asked : messages.back().role != Role::assistant) {
    throw Error("{}: ends without a message of the {}", where, name_of(last));
  }
  return messages;
}

Messages messages_of(const Json& list, std::string_view field, Role last) {
  const std::string where = fmt::format("field {}", field);
  return checked(read_messages(list, where), where, last);
}

// A string as a list of one message.
Json as_messages(const Json& value, const char* field, const char* role) {
  if (value.is_array()) return value;
  if (value.is_string()) return Json::array({{{"role", role}, {"content", value}}});
  throw Error("field {}: is {}, expected a string or a list of messages", field, type_of(value));
}

// Answers in the prompt are not learned.
Messages completion(const Json& line) {
  Messages messages = messages_of(as_messages(need_field(line, "prompt"), "prompt", "user"), "prompt", Role::user);
  for (Message& message : messages) message.learned = false;
  const Json answers = as_messages(need_field(line, "completion"), "completion", "assistant");
  for (Message& message : read_messages(answers, "field completion")) messages.push_back(std::move(message));
  return checked(std::move(messages), "field prompt and completion", Role::assistant);
}

Messages prompt_of(const Json& line) {
  for (const char* field : {"prompt", "messages", "conversations"}) {
    const Json* prompt = find_field(line, field);
    if (prompt != nullptr && prompt->is_array()) return messages_of(*prompt, field, Role::user);
    if (prompt != nullptr) return {{Role::user, text(line, field)}};
  }
  if (find_field(line, "instruction") != nullptr) return {{Role::user, alpaca_user(line)}};
  return {{Role::user, text(line, "user")}};
}

// One answer of a preference.
struct Answer {
  std::optional<Messages> prompt;  // Set if messages come before the answer.
  std::string content;
};

Answer answer_of(const Json& line, const char* field) {
  const Json& value = need_field(line, field);
  if (value.is_string()) return {{}, text(line, field)};
  if (value.is_object() || (value.is_array() && value.size() == 1)) {
    Message message = read_message(value.is_object() ? value : value[0], fmt::format("field {}", field));
    if (message.role != Role::assistant) throw Error("field {}: expected a message of the assistant", field);
    if (is_blank(message.content)) throw Error("field {}: is empty, expected text", field);
    return {{}, std::move(message.content)};
  }
  Messages messages = messages_of(value, field, Role::assistant);
  std::string content = std::move(messages.back().content);
  messages.pop_back();
  return {std::move(messages), std::move(content)};
}

bool same(const Messages& a, const Messages& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Message& x, const Message& y) {
    return x.role == y.role && x.content == y.content && x.tool_calls == y.tool_calls;
  });
}

Preference preference(const Json& line) {
  const Answer chosen = answer_of(line, "chosen");
  const Answer rejected = answer_of(line, "rejected");
  if (chosen.prompt.has_value() != rejected.prompt.has_value() ||
      (chosen.prompt && !same(*chosen.prompt, *rejected.prompt))) {
    throw Error("fields chosen and rejected: answer different prompts, expected one");
  }
  if (chosen.content == rejected.content) throw Error("fields chosen and rejected: are the same, expected two answers");
  return {chosen.prompt ? *chosen.prompt : prompt_of(line), chosen.content, rejected.content};
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

Messages conversation(const Json& line, SampleForm form) {
  switch (form) {
    case SampleForm::alpaca:
      return alpaca(line);
    case SampleForm::completion:
      return completion(line);
    case SampleForm::sharegpt:
      return messages_of(need_field(line, "conversations"), "conversations", Role::assistant);
    case SampleForm::messages:
      return messages_of(need_field(line, "messages"), "messages", Role::assistant);
    case SampleForm::cot:
      return asked_and_answered(text(line, "user"), reasoning(text(line, "cot"), text(line, "final")));
    case SampleForm::question:
      return asked_and_answered(text(line, "user"), text(line, "answer"));
    default:
      return asked_and_answered(text(line, "user"), text(line, "assistant"));
  }
}

// The system prompt is a field in most forms; one among the messages has precedence.
Messages with_system(Messages messages, const Json& line) {
  std::string system = text_or_none(line, "system");
  const bool has_system = messages[0].role == Role::system;
  if (system.empty() || (has_system && !messages[0].content.empty())) return messages;
  if (!has_system) messages.insert(messages.begin(), {Role::system, ""});
  messages[0].content = std::move(system);
  return messages;
}

bool is_one_of(std::string_view name, const std::vector<const char*>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Collects the fields of messages that are ignored.
void add_ignored(const Json& list, const std::string& field, std::vector<std::string>& ignored) {
  if (!list.is_array()) return;
  for (const Json& message : list) {
    if (!message.is_object()) continue;
    for (auto part = message.begin(); part != message.end(); ++part) {
      if (!is_one_of(part.key(), {"role", "content", "weight", "from", "value", "tool_calls", "tool_call_id"})) {
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
  // If the line lacks a field of the expected form, parse_as throws an Error that names it.
  return parse_as(line, form ? *form : *found);
}

}  // namespace tinyllm
