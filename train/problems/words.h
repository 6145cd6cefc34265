// Names and things. For the files of this folder alone.
#pragma once

#include <tinyllm/train/problems/scene.h>

#include <string>

namespace tinyllm::problems {

/// {A} to {F}: different people. {thing}: what people count.
void draw_words(Scene& scene);

/// A sentence with a number that no question depends on.
std::string idle_sentence(Language language, int level, Random& random);

/// The days of the week from Monday, 1, to Sunday, 7.
std::string weekday(Language language, int64_t day);

}  // namespace tinyllm::problems
