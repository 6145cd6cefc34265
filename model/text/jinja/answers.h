#pragma once

#include <tinyllm/model/text/jinja/text.h>

#include <functional>

namespace tinyllm::jinja {

/// One answer of the assistant in a rendered conversation, with its end token: bytes [begin, end).
struct Answer {
  size_t begin;
  size_t end;
  int32_t message;  ///< The index of its message; kFromTemplate if it has no text of a message.
};

/// The text that the template's `{% generation %}` blocks wrote.
std::vector<Answer> answers_of_blocks(const Text& text);

/// Finds answers in a template without such blocks. An answer begins where its prompt ends. It ends after `eos`, or
/// else where a conversation that stops at this message ends. `is_answer` says which messages are the assistant's.
/// `render(n, prompt)` renders the first n messages, with the prompt for the next one if `prompt`. A message without
/// text has no answer.
std::vector<Answer> answers_of_messages(const Text& text, std::string_view eos,
                                        const std::function<bool(int32_t message)>& is_answer,
                                        const std::function<Text(int32_t messages, bool prompt)>& render);

}  // namespace tinyllm::jinja
