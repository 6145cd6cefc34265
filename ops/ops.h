#pragma once

#include <tinyllm/ops/attention.h>
#include <tinyllm/ops/convolution.h>
#include <tinyllm/ops/elementwise.h>
#include <tinyllm/ops/indexing.h>
#include <tinyllm/ops/losses.h>
#include <tinyllm/ops/optimizers.h>
#include <tinyllm/ops/products.h>
#include <tinyllm/ops/reductions.h>
#include <tinyllm/ops/rows.h>
#include <tinyllm/ops/shape.h>
#include <tinyllm/ops/sources.h>
#include <tinyllm/ops/tokens.h>

/// All operations that a graph can be built from. Each function checks shapes and types, appends one node (or a few)
/// and returns its result. It throws Error with the names and shapes involved. `...` stands for any leading extents.
/// A file `ops/<name>.cc` holds the shape rule, the kernel call and the gradient of one operation, or of a family of
/// alike ones (unary.cc, arithmetic.cc, compare.cc, fold.cc). Products of matrices (linear, matmul, conv2d,
/// linear_cross_entropy, token_log_probs) are computed in the precision passed to `compile`, everything else in float.
