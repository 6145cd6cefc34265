#pragma once

#include <array>
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
    refuse,  ///< `text` says what the agent never does, and `code` is its code, such as `outside_root`.
    undo,    ///< Undo the run with the number `run`, or if that is 0 the last `runs` runs.
    answer   ///< `text` answers a question about the agent.
  };
  Kind kind = Kind::ask;
  std::string text = {}, code = {};
  int64_t runs = 1, run = 0;
};
constexpr auto names(Proposal::Kind) { return std::array{"plan", "ask", "refuse", "undo", "answer"}; }

/// Plans by fixed patterns, without a model. Every word of a request must be understood, and every file that it names
/// must exist; else the answer is a question, never a guess. `listing` has the paths below the root, folders with a
/// slash at the end. `root` is the real path of the root; `now` is nanoseconds since 1970, for words such as "10 月".
/// The text of a file or the name of one is never read as a request. A request that ends in a question mark changes
/// nothing. A plan still has to pass the guard.
Proposal propose(std::string_view request, const std::vector<std::string>& listing, std::string_view root, int64_t now);

}  // namespace tinyllm::agent
