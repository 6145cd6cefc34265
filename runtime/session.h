#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/runtime/pages.h>
#include <tinyllm/tensor/base/thread_pool.h>

#include <functional>
#include <memory>

namespace tinyllm {

/// Tokens that a session has computed, with their keys and values. The session must outlive it.
class Sequence {
 public:
  Sequence(Sequence&& other) noexcept = default;
  Sequence& operator=(Sequence&& other) noexcept;
  ~Sequence();

  const std::vector<int32_t>& tokens() const { return tokens_; }
  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  /// Logits [V] of the next token. Empty if nothing was computed since the start, or since the last `truncate` or
  /// `drop_logits`.
  std::span<const float> logits() const {
    return logits_ ? std::span<const float>(*logits_) : std::span<const float>();
  }

  /// A copy that may continue differently. Pages of the tokens that both begin with are stored once, and so are the
  /// logits until one of them continues.
  Sequence fork() const;
  /// Frees the memory of the logits.
  void drop_logits() { logits_.reset(); }
  /// Keeps only the first `size` tokens. Throws Error when there are fewer.
  void truncate(int64_t size);

 private:
  friend class Session;
  explicit Sequence(Pages& pool) : pool_(&pool) {}

  Pages* pool_;
  std::vector<int32_t> pages_;
  std::vector<int32_t> tokens_;
  std::shared_ptr<std::vector<float>> logits_;  // Forks share it.
};

struct SessionOptions {
  int64_t sequences = 1;  ///< The cache has room for this many sequences of full length.
  int64_t context = 0;    ///< Longest sequence in tokens; less than the model's saves memory. 0: the model's.
  /// What keys and values are stored as, f32 or f16. f16 takes half the memory and rounds them to 11 bits; with f32 the
  /// logits are those of the training graph, to the bit.
  DType cache_type = fastest_cache_type();
  std::optional<ThreadPool> pool = {};  ///< The session keeps a copy. None: one of its own, of hardware_threads().
};

/// Runs a model over many sequences at once, with one cache of keys and values in pages. The logits of a sequence are a
/// function of its own tokens alone, to the bit: they do not depend on the sequences computed with it, on
/// the chunks in which it was computed, or on the number of threads. A session and its sequences may be used by one
/// thread at a time. Threads that each have a session of their own may share one model: sessions only read it, also
/// while they compile.
class Session {
 public:
  /// `model` must outlive the session, and its weights must not move. Throws Error when there are fewer than 1 or more
  /// than 65536 sequences, on a context below 0 or above the model's, and on a cache type that is neither f32 nor f16.
  explicit Session(const Model& model, const SessionOptions& options = {});
  ~Session();

  const Model& model() const;
  /// The threads that it computes with.
  ThreadPool& pool();
  /// Sequences of full length that the cache has room for.
  int64_t sequences() const;
  /// The most tokens of a sequence.
  int64_t context() const;

  /// Pages of the cache that hold this many tokens.
  static int64_t pages_for(int64_t tokens) { return (tokens + kCachePage - 1) / kCachePage; }
  /// Bytes of a page, keys and values of all layers.
  static int64_t page_bytes(const ModelConfig& config, DType cache_type);
  /// Bytes of the whole cache.
  int64_t cache_bytes() const;
  /// Pages that no sequence uses.
  int64_t free_pages() const;
  /// Free pages that a sequence of this session takes to grow to `size` tokens. A shared last page that is not full
  /// counts: it is copied.
  int64_t pages_needed(const Sequence& sequence, int64_t size) const;
  /// Pages of a sequence that no other one shares.
  int64_t own_pages(const Sequence& sequence) const;

  /// A sequence without tokens.
  Sequence start();

  /// The next tokens of a sequence.
  struct Feed {
    Sequence* sequence;
    std::span<const int32_t> tokens;
  };
  using OnLogits = std::function<void(size_t feed, size_t token, std::span<const float> logits)>;
  using OnHidden = std::function<void(size_t feed, size_t token, std::span<const float> hidden)>;
  /// Appends tokens to sequences, each named once. Afterwards `Sequence::logits` are those after the last token.
  /// `on_logits` is given the logits after every token, and `on_hidden` the hidden state [C] that they are made from.
  /// Throws Error, before anything is changed, on a token outside the vocabulary, a sequence that would become longer
  /// than `context()`, and when the cache has no room.
  void forward(std::span<const Feed> feeds, const OnLogits& on_logits = {}, const OnHidden& on_hidden = {});
  void forward(Sequence& sequence, std::span<const int32_t> tokens);

  /// Compiles now what passes of up to so many tokens, with the logits of up to so many of them, will need. Then it
  /// takes the memory of the whole cache from the system, which otherwise gives it as pages are first used.
  void prepare(int64_t tokens, int64_t logits);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm
