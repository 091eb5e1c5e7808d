// Curves of a training run: its history as charts.
#pragma once

#include "deft/apps/support/chart.h"
#include "deft/apps/support/history.h"

namespace deft::support {

/// Loss by epoch, in training and on the images that RunInfo says. An evaluation that measures no loss has no line.
LineChart loss_chart(const RunInfo& info, const History& history);

/// Accuracy in percent by epoch, likewise; the legend says which epoch was best. Throws Error for an empty history.
LineChart accuracy_chart(const RunInfo& info, const History& history);

}  // namespace deft::support
