#pragma once

#include <tinyllm/model/text/tokenizer.h>
#include <tinyllm/tensor/base/progress.h>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace tinyllm {

/// What a corpus has been turned into.
struct TokenizeCounts {
  int64_t bytes = 0;
  int64_t characters = 0;
  int64_t tokens = 0;
  int64_t documents = 0;
};

/// Writes the documents of corpus files as a file of tokens (token_file.h). The file appears under its name when it is
/// complete. A long document is encoded in pieces cut at line ends, which changes no token; a line longer than a piece
/// is cut between characters, where tokens end then. The file is the same for any number of threads. `on_progress`
/// counts bytes, and the tokens made. Throws Stopped, and Error if a file cannot be read or is not UTF-8, or if there
/// is no text at all. No file is left then.
TokenizeCounts tokenize(const std::vector<std::filesystem::path>& corpora, const Tokenizer& tokenizer,
                        const std::filesystem::path& output, int threads, const OnProgress& on_progress = {});

}  // namespace tinyllm
