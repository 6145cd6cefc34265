#pragma once

#include <tinyllm/train/questions/questions.h>

#include <optional>
#include <string_view>

namespace tinyllm::questions {

/// Why a question and its answer are dropped, by their words alone; nullopt if they are not.
std::optional<Dropped> problem_with(std::string_view question, std::string_view answer);

}  // namespace tinyllm::questions
