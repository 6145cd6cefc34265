#pragma once

#include <tinyllm/runtime/session.h>

#include <list>
#include <span>

namespace tinyllm {

/// The length of the common prefix of two lists of tokens.
size_t common_prefix(std::span<const int32_t> a, std::span<const int32_t> b);

/// Keeps sequences of ended requests, so that a common prefix of a later prompt need not be computed again. This never
/// changes an answer. For use by the session's thread.
class PrefixCache {
 public:
  /// The kept sequence that shares the longest prefix with the prompt; null if none shares any. It counts as used.
  /// Only sequences of the same group are looked at.
  const Sequence* find(std::span<const int32_t> prompt, uint64_t group);
  /// Keeps a sequence. Those of its group whose tokens it begins with are dropped.
  void keep(Sequence sequence, uint64_t group);
  /// Drops the sequence that was not used for the longest time. Returns false if there is none.
  bool drop_oldest();

 private:
  struct Kept {
    Sequence sequence;
    uint64_t group;
  };
  std::list<Kept> kept_;  // The last used first.
};

}  // namespace tinyllm
