#pragma once

#include <tinyllm/model/text/message.h>

#include <initializer_list>

namespace tinyllm::test {

/// A system message, then what the user and the assistant say by turns.
inline Messages chat_of(std::string system, std::initializer_list<std::string> said) {
  Messages messages = {{Role::system, std::move(system)}};
  for (const std::string& content : said) {
    messages.push_back({messages.size() % 2 == 1 ? Role::user : Role::assistant, content});
  }
  return messages;
}

}  // namespace tinyllm::test
