#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/train/objective.h>

namespace tinyllm {

struct DistillationOptions {
  float weight = 0.7f;    ///< a below: above 0 and at most 1.
  float temperature = 2;  ///< T below, above 0. A higher one shows more of what the teacher thinks of unlikely tokens.
};

/// Throws Error that names the option that is out of its range.
void check(const DistillationOptions& options);

/// Throws Error that says what differs, unless both models have the same tokens: equal tokenizers by their hashes, and
/// equally many rows for them.
void check_teacher(const Model& student, const Model& teacher);

/// Learns from the probabilities that another model, the teacher, gives to all tokens. The loss is the mean over the
/// targets of
///
///   (1 - a) CE + a T^2 KL
///   CE  -log p(target), with the recipe's z-loss: the loss of `next_token`
///   KL  see `soft_target_loss`; T^2 makes the size of its gradient depend little on T
///
/// The weights of the teacher are copied into the student's store, under names that begin with "teacher.", and
/// `teacher` is not needed any more. A step computes its logits, in the precision of the step, and keeps them no
/// longer. The name of the objective has a hash of these weights, so a run goes on only with the same teacher.
/// Throws Error as `check` and `check_teacher` do, and if the store has a teacher already. A step throws Error if its
/// rows are longer than the teacher's context.
/// Source: Hinton et al., "Distilling the Knowledge in a Neural Network", 2015.
Objective distillation(Model& student, const Model& teacher, const DistillationOptions& options = {});

/// The mean over the targets that are not kIgnore of sum(t (log t - log s)) over the vocabulary, f32 [1], with
/// t = softmax(teacher / temperature) and s = softmax(student / temperature); 0 when there are none. Logits [..., V],
/// targets i32 [...].
Tensor soft_target_loss(Tensor student, Tensor teacher, Tensor targets, float temperature);

}  // namespace tinyllm
