#pragma once

/// What tests of your own ops need, besides tinyllm.h.
#include <tinyllm/ops/testing.h>
