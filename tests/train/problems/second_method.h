#pragma once

#include <tinyllm/train/problems/problem.h>

#include <string>

namespace tinyllm::test {

/// The answer of one part of a problem, computed from its numbers in another way than its steps do: by trying
/// answers, by simulation, or by a formula. As "12", "3/5", "5元2角", "星期三".
std::string answer_by_second_method(const std::string& kind, const problems::Part& part, problems::Language language);

}  // namespace tinyllm::test
