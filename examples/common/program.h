#pragma once

#include <tinyllm/tensor/base/counted.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/folder_lock.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tinyllm::cli {

/// Thrown if the command line is wrong: the program ends with exit code 2. Each line of the message is one problem.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Thrown to end a program early with this exit code, after `--help` for example.
struct Exit {
  int code;
};

/// The name of the program: the last part of argv[0].
std::string program_name(const char* const* argv);

/// Runs a program and returns its exit code: what `run` returns, 1 if it throws or if standard output cannot be
/// written, 2 after UsageError. Errors are printed to standard error after the name of the program. Standard output is
/// written line by line, so that a reader of a pipe sees each result at once.
int run_main(const char* const* argv, const std::function<int()>& run);

/// Prints to standard error. Ignores failures, so that a note cannot end a program.
void note(const std::string& text);

/// Locks a folder that the program writes. Prints a note if the file system has no locks. Throws Error if another
/// process holds the lock.
std::unique_ptr<FolderLock> lock_folder(const std::filesystem::path& folder);

/// Throws Error if a program would write over the model that it reads.
void refuse_same(const std::filesystem::path& model, const std::filesystem::path& output);
/// Throws Error if the folder holds a finished model, which no program may overwrite.
void refuse_finished_model(const std::filesystem::path& folder);

}  // namespace tinyllm::cli
