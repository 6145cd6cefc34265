// The equations of a reasoning. For the files of this folder alone.
#pragma once

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/train/problems/problem.h>

#include <string>

namespace tinyllm::problems {

/// An equation as text, worked out in smaller ones where it needs more than the tables of one digit: 36*47 as
/// 36*47=36*40+36*7, 36*40=1440, 36*7=252, 1440+252=1692, and the division of long numbers digit by digit. Of an
/// expression that is its result, only the result. Throws Error if an equation is false.
std::string worked_out(const std::string& expression, const std::string& result, Language language);

/// Throws Error if the text is not a true equation.
const std::string& checked(const std::string& equation);

}  // namespace tinyllm::problems
