#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/runtime/pages.h>
#include <tinyllm/tensor/base/thread_pool.h>

#include <functional>

namespace tinyllm {

/// Tokens that a session has read, with their keys and values. Its session must outlive it.
class Sequence {
 public:
  Sequence(Sequence&& other) noexcept = default;
  Sequence& operator=(Sequence&& other) noexcept;
  ~Sequence();

  const std::vector<int32_t>& tokens() const { return tokens_; }
  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  /// Scores [V] of the token that comes next. Empty where nothing was read since it began or was rewound.
  std::span<const float> logits() const { return logits_; }

  /// The same tokens again, to go on in another way. What both have read is stored once.
  Sequence fork() const;
  /// Forgets all but the first tokens. Throws Error when there are not that many.
  void rewind(int64_t size);

 private:
  friend class Session;
  explicit Sequence(Pages& pool) : pool_(&pool) {}

  Pages* pool_;
  std::vector<int32_t> pages_;
  std::vector<int32_t> tokens_;
  std::vector<float> logits_;
};

struct SessionOptions {
  int64_t sequences = 1;  ///< The cache has room for so many of the model's whole context.
  int threads = hardware_threads();
};

/// A model that reads: many sequences at once, over one cache of keys and values in pages. Logits are a function of the
/// sequence's own tokens alone, to the bit: not of the sequences read with it, nor of the pieces in which they were
/// read, nor of the number of threads. One thread at a time may use a session. Threads that each have their own session
/// may share one model: sessions only read it, also while they compile their programs.
class Session {
 public:
  /// `model` must outlive the session, and its weights must not move. Throws Error on options that cannot be.
  explicit Session(const Model& model, const SessionOptions& options = {});
  ~Session();

  const Model& model() const;
  /// Sequences that may be under way together, as `SessionOptions` has it.
  int64_t sequences() const;

  /// A sequence without tokens.
  Sequence start();

  struct Reading {
    Sequence* sequence;
    std::span<const int32_t> tokens;
  };
  using OnLogits = std::function<void(size_t reading, size_t token, std::span<const float> logits)>;
  /// Appends tokens to sequences, each named once; afterwards `Sequence::logits` are those behind the last one.
  /// `on_logits` is given the scores behind every token. Throws Error, before anything is changed, on a token outside
  /// the vocabulary, a sequence that would outgrow the model's context, and when the cache has no room.
  void read(std::span<const Reading> readings, const OnLogits& on_logits = {});
  void read(Sequence& sequence, std::span<const int32_t> tokens);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm
