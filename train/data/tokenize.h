#pragma once

#include <tinyllm/model/text/tokenizer.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

namespace tinyllm {

/// How far it is, and in the end what there was.
struct TokenizeProgress {
  int64_t bytes = 0;  ///< Of text that is tokenised.
  int64_t total = 0;  ///< Of the files.
  int64_t characters = 0;
  int64_t tokens = 0;
  int64_t documents = 0;
};

/// Writes the documents of corpus files as a file of tokens (token_file.h), which gets its name when it is whole. A
/// long document is encoded in pieces cut at line ends, which changes no token; a line longer than a piece is cut
/// between characters, where tokens end then. The file is the same for any number of threads. `progress` is called now
/// and then; when it returns false, Error is thrown and nothing stays. Throws Error also when a file cannot be read, is
/// not UTF-8, or when there is no text at all.
TokenizeProgress tokenize(const std::vector<std::filesystem::path>& corpora, const Tokenizer& tokenizer,
                          const std::filesystem::path& output, int threads,
                          const std::function<bool(const TokenizeProgress&)>& progress);

}  // namespace tinyllm
