#pragma once

#include <tinyllm/model/text/jinja/text.h>

#include <functional>

namespace tinyllm::jinja {

/// What the assistant says in a rendered conversation, with its end token: bytes [begin, end).
struct Answer {
  size_t begin;
  size_t end;
  int32_t message;  ///< Its index; kFromTemplate when no text of a message is in it.
};

/// What the `{% generation %}` blocks of the template wrote.
std::vector<Answer> answers_of_blocks(const Text& text);

/// The same without such blocks. An answer begins where the prompt for it ends, and the template's text after it
/// belongs to it up to `eos`, or as far as a conversation that ends there goes. `is_answer` says which messages are the
/// assistant's; `render(n, prompt)` renders the first n messages, with the prompt for the next one or without. A
/// message without text has no answer.
std::vector<Answer> answers_of_messages(const Text& text, std::string_view eos,
                                        const std::function<bool(int32_t message)>& is_answer,
                                        const std::function<Text(int32_t messages, bool prompt)>& render);

}  // namespace tinyllm::jinja
