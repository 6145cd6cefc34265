#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::agent {

/// What a request in Chinese or English comes to.
struct Proposal {
  enum class Kind : uint8_t {
    plan,    ///< `text` is a plan in JSON, for `parse_plan`.
    ask,     ///< `text` is a question to the person: the request can mean several things, or was not understood.
    refuse,  ///< `text` is the code of what the agent never does, such as `outside_root`.
    undo,    ///< Undo the last `runs` runs.
    answer   ///< `text` answers a question about the agent.
  };
  Kind kind = Kind::ask;
  std::string text;
  int64_t runs = 1;
};

/// Plans by fixed patterns, without a model. Every word of a request must be understood, and every file that it names
/// must exist; else the answer is a question, never a guess. `listing` has the paths below the root, folders with a
/// slash at the end. `root` is the real path of the root; `now` is nanoseconds since 1970, for words such as "10 月".
/// The text of a file or the name of one is never read as a request. A plan still has to pass the guard.
Proposal propose(std::string_view request, const std::vector<std::string>& listing, std::string_view root, int64_t now);

}  // namespace tinyllm::agent
