#pragma once

#include <tinyllm/model/text/prompt.h>

#include <optional>
#include <variant>

namespace tinyllm {

/// One prompt and two answers, of which people liked one better.
struct Preference {
  Conversation prompt;  ///< The assistant's part of the last turn is empty.
  std::string chosen;
  std::string rejected;
};

/// A question of which one option is right.
struct Choice {
  std::string subject;  ///< May be empty, as `split` may.
  std::string split;
  std::string question;
  std::vector<std::string> options;  ///< A, B, ...
  size_t answer = 0;                 ///< Of the options.
};

/// How a line of JSON says a sample. The last two are a Preference and a Choice, all others a Conversation.
enum class SampleForm : uint8_t {
  chat,        ///< user, assistant; system.
  cot,         ///< user, cot, final; system. The assistant's part is in the reasoning style.
  question,    ///< user, answer; system.
  alpaca,      ///< instruction, output; input, system, history.
  sharegpt,    ///< conversations, a list of {from, value}; system.
  messages,    ///< messages, a list of {role, content}, the content a string or a list of text parts; system.
  preference,  ///< chosen, rejected: strings or messages; a prompt as in another form, or in `prompt`, or before both.
  choice       ///< question, A, B, ..., answer (a letter); subject, split.
};
std::string_view text_of(SampleForm form);

using AnySample = std::variant<Conversation, Preference, Choice>;

/// The sample that a line says. Its form is the first of preference, choice, messages, sharegpt, alpaca, cot, chat and
/// question whose fields it has, and must be `form` where one is given. Fields that no form knows are passed over; null
/// is a missing field. Throws Error that says what was found and expected: no UTF-8, no JSON, a field that is missing,
/// empty or of a wrong type, roles out of order.
struct ParsedSample {
  SampleForm form;
  AnySample sample;
};
ParsedSample parse_sample(std::string_view line, std::optional<SampleForm> form = {});

}  // namespace tinyllm
