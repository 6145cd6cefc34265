#pragma once

#include <tinyllm/tensor/op.h>

namespace tinyllm {

// One row for each operation, defined in `ops/<name>.cc` or, for a family of alike ones, in the file of the family.
// Rows that end in Grad have no function of their own in ops.h: `gradients` appends them.
extern const Op kLinear, kPackedLinear, kMatmul;
extern const Op kAdd, kSub, kMul, kDiv, kPow, kMinimum, kMaximum;
extern const Op kEqual, kNotEqual, kLess, kLessEqual, kLogicalAnd, kLogicalOr, kLogicalNot, kIsNan, kWhere, kCast;
extern const Op kNeg, kAbs, kSign, kFloor, kRound, kSquare, kReciprocal, kSqrt, kRsqrt, kExp, kExpm1, kLog, kLog1p,
    kSin, kCos, kTanh, kTanhGrad, kErf, kErfGrad, kClamp, kClampGrad, kSigmoid, kSigmoidGrad, kSoftplus, kRelu,
    kReluGrad, kReluSquared, kReluSquaredGrad, kLeakyRelu, kLeakyReluGrad, kElu, kEluGrad, kHardSwish, kHardSwishGrad,
    kGeluExact, kGeluExactGrad;
extern const Op kScale, kSilu, kSiluGrad, kGelu, kGeluGrad, kSwiglu, kSwigluGrad, kDropout;
extern const Op kRmsNorm, kRmsNormGrad, kSoftmax, kSoftmaxGrad, kRopeAngles, kRope;
extern const Op kAttention, kAttentionGrad, kCachedAttention;
extern const Op kEmbedding, kEmbeddingGrad, kCrossEntropy, kCrossEntropyGrad, kLinearCrossEntropy, kTokenLogProbs,
    kTokenLogProbsGrad;
extern const Op kReshape, kPermute, kSlice, kSliceGrad, kConcat, kSplit, kSum, kMean;
extern const Op kConv2d, kConv2dInputGrad, kConv2dWeightGrad, kMaxPool2d, kMaxPool2dGrad, kAvgPool2d, kAvgPool2dGrad,
    kUpsampleBilinear, kUpsampleBilinearGrad;
extern const Op kMax, kMin, kExtremeGrad, kProd, kProdGrad, kAny, kAll, kArgmax, kArgmin, kLogSumExp, kCumsum, kArgsort;
extern const Op kFlip, kBroadcastTo, kPad, kTriangle;
extern const Op kGather, kGatherGrad, kScatterAdd, kIndexSelect, kIndexSelectGrad, kOneHot, kArange, kRandom;
extern const Op kAccumulate, kClip, kAdamW, kSgd, kLion, kMuon, kAdafactor;

/// All rows. The op-table test fails if one of them is not in any of its cases.
std::span<const Op* const> all_ops();

/// The gradient of an op whose result does not change with a small change of its arguments: 0.
std::vector<Tensor> no_gradient(const Backward& node);

/// Appends a Grad row that takes (x, dy) and gives dx, with the shape of x.
Tensor append_gradient(const Op& op, Tensor x, Tensor dy);

}  // namespace tinyllm
