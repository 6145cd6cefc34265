#include <tinyllm/model/text/message.h>

#include <tinyllm/tensor/base/error.h>

#include <algorithm>

namespace tinyllm {

size_t count_of_turns(const Messages& messages) {
  return static_cast<size_t>(
      std::count_if(messages.begin(), messages.end(), [](const Message& m) { return m.role == Role::user; }));
}

void check_order(const Messages& messages, std::string_view where) {
  Role last = Role::system;  // The previous role.
  for (size_t i = 0; i < messages.size(); ++i) {
    const Role role = messages[i].role;
    const bool is_answer = last == Role::user || last == Role::tool;  // Whether the assistant is expected next.
    const bool is_in_order = role == Role::system ? i == 0
                             : role == Role::tool ? last == Role::assistant || last == Role::tool
                                                  : (role == Role::assistant) == is_answer;
    if (!is_in_order) {
      throw Error("{}: message {}: is the {}'s, expected {}", where, i + 1, name_of(role),
                  role == Role::system ? "it to be the first"
                  : is_answer          ? "the assistant's"
                                       : "the user's");
    }
    last = role;
  }
}

}  // namespace tinyllm
