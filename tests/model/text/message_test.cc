#include <doctest/doctest.h>

#include <tinyllm/model/text/message.h>
#include <tinyllm/tensor/base/error.h>

namespace tinyllm::test {
namespace {

// Messages of the roles that the letters begin.
Messages in_order(std::string_view roles) {
  Messages messages;
  for (const char role : roles) {
    messages.push_back({role == 's'   ? Role::system
                        : role == 'u' ? Role::user
                        : role == 'a' ? Role::assistant
                                      : Role::tool,
                        "words"});
  }
  return messages;
}

}  // namespace

TEST_CASE("user and assistant take turns, after the system, and tools answer the assistant") {
  for (const char* roles : {"", "s", "u", "su", "sua", "uaua", "uata", "uatta", "suatau", "uat"}) {
    CAPTURE(roles);
    CHECK_NOTHROW(check_order(in_order(roles), "list"));
  }
  const struct {
    const char* roles;
    const char* error;
  } cases[] = {
      {"a", "list: message 1: is the assistant's, expected the user's"},
      {"sa", "list: message 2: is the assistant's, expected the user's"},
      {"t", "list: message 1: is the tool's, expected the user's"},
      {"uu", "list: message 2: is the user's, expected the assistant's"},
      {"ut", "list: message 2: is the tool's, expected the assistant's"},
      {"uaa", "list: message 3: is the assistant's, expected the user's"},
      {"uatu", "list: message 4: is the user's, expected the assistant's"},
      {"ss", "list: message 2: is the system's, expected it to be the first"},
      {"uas", "list: message 3: is the system's, expected it to be the first"},
  };
  for (const auto& c : cases) CHECK_THROWS_WITH_AS(check_order(in_order(c.roles), "list"), c.error, Error);
}

TEST_CASE("each message of the user begins a turn") {
  CHECK(count_of_turns({}) == 0);
  CHECK(count_of_turns(in_order("s")) == 0);
  CHECK(count_of_turns(in_order("suatauu")) == 3);
}

}  // namespace tinyllm::test
