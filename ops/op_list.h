#pragma once

#include <tinyllm/tensor/op.h>

namespace tinyllm {

// One row for each operation, defined in `ops/<name>.cc`. Rows that end in Grad have no function of their own in
// ops.h: `gradients` appends them.
extern const Op kLinear, kPackedLinear, kMatmul;
extern const Op kAdd, kMul, kScale, kSilu, kSiluGrad, kGelu, kGeluGrad, kSwiglu, kSwigluGrad, kDropout;
extern const Op kRmsNorm, kRmsNormGrad, kSoftmax, kSoftmaxGrad, kRopeAngles, kRope;
extern const Op kAttention, kAttentionGrad, kCachedAttention;
extern const Op kEmbedding, kEmbeddingGrad, kCrossEntropy, kCrossEntropyGrad, kLinearCrossEntropy, kTokenLogProbs,
    kTokenLogProbsGrad;
extern const Op kReshape, kPermute, kSlice, kSliceGrad, kConcat, kSplit, kSum;
extern const Op kAccumulate, kClip, kAdamW, kMuon;

/// Every row. The op-table test fails when one of them is in none of its cases.
std::span<const Op* const> all_ops();

/// Appends one of the Grad rows that take (x, dy) and give dx of x's shape.
Tensor append_gradient(const Op& op, Tensor x, Tensor dy);

}  // namespace tinyllm
