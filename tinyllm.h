#pragma once

/// Everything of the tensor library: build a graph from ops, take gradients, compile, run. Random numbers fill what
/// begins at random.
#include <tinyllm/ops/gradients.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/program.h>
