#pragma once

#include <tinyllm/model/text/message.h>

#include <optional>
#include <variant>

namespace tinyllm {

/// A prompt and two answers, of which people preferred one.
struct Preference {
  Messages prompt;
  std::string chosen;
  std::string rejected;
};

/// A multiple-choice question with one right option.
struct Choice {
  std::string subject;  ///< May be empty, as `split` may.
  std::string split;
  std::string question;
  std::vector<std::string> options;  ///< A, B, ...
  size_t answer = 0;                 ///< Index of the right option.
};

/// The form of a sample in a line of JSON. The last two give a Preference and a Choice, all others Messages.
enum class SampleForm : uint8_t {
  chat,        ///< user, assistant; system.
  cot,         ///< user, cot, final; system. The answer is in the reasoning style.
  question,    ///< user, answer; system.
  alpaca,      ///< instruction, output; input, system, history.
  completion,  ///< prompt, completion: strings or lists of messages, of which those in completion are learned; system.
  sharegpt,    ///< conversations, a list of {from, value}; system.
  messages,    ///< messages, a list of {role, content, weight}, the content a string or a list of text parts; system.
  preference,  ///< chosen, rejected: strings or messages; a prompt as in another form, in `prompt`, or before both
               ///< answers.
  choice       ///< question, A, B, ..., answer (a letter); subject, split.
};
std::string_view text_of(SampleForm form);

using AnySample = std::variant<Messages, Preference, Choice>;

/// A line of a file of samples. Its form is the first of preference, choice, completion, messages, sharegpt, alpaca,
/// cot, chat and question whose fields the line has, and must equal `form` when that is given. A field that is null is
/// missing. Numbers of any size and halves of surrogate pairs are accepted (json_repair.h). Throws Error that says what
/// was found and what was expected: not UTF-8, not JSON, a field that is missing, empty or of a wrong type, roles out
/// of order.
struct ParsedSample {
  SampleForm form;
  AnySample sample;
  std::vector<std::string> ignored;  ///< Fields that no form knows, each once; those of messages as `messages[].name`.
};
ParsedSample parse_sample(std::string_view line, std::optional<SampleForm> form = {});

}  // namespace tinyllm
