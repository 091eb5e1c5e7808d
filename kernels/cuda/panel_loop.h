// The loop of the kernels that work on panels.
#pragma once

#include "deft/kernels/cuda/conv_panel.h"
#include "deft/kernels/cuda/reduce_block.h"
#include "deft/kernels/cuda/vector_access.h"
#include "deft/kernels/runtime/cuda/context.h"

namespace deft::kernels {

/// Threads of a block of these kernels, and entries that it works on at a time.
inline constexpr int panel_threads = 128;

/// Threads that share an entry, a power of two up to a warp: one for each pack of its channels as far as that goes.
inline int lanes_for(std::int64_t packs) {
  int lanes = 1;
  while (lanes < warp_threads && lanes < packs) lanes *= 2;
  return lanes;
}

/// Visits the entries of a panel. Each thread calls found = find(entry) for one entry; then `lanes` threads share one,
/// each calling visit(i, entry, found) with the entry's number i in the block; then each thread calls finish(entry) for
/// the one it found. All threads of a warp visit together, so that they may shuffle; at the end of the panel some visit
/// null pointers.
template <class Found, class Find, class Visit, class Finish>
__device__ void for_entries(const ConvGeometry& g, const Points& points, int lanes, Find find, Visit visit,
                            Finish finish) {
  DEFT_SHARED(PanelEntry, entries, panel_threads);
  DEFT_SHARED(Found, found, panel_threads);
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t total = points.count * g.entries;
  for (std::int64_t begin = first_index() - thread; begin < total; begin += index_step()) {
    const bool has_entry = begin + thread < total;
    if (has_entry) {
      entries[thread] = panel_entry(g, points, begin + thread);
      found[thread] = find(entries[thread]);
    }
    __syncthreads();
    for (int i = thread / lanes; i < panel_threads; i += panel_threads / lanes) {
      const bool exists = begin + i < total;
      visit(i, exists ? &entries[i] : nullptr, exists ? &found[i] : nullptr);
    }
    __syncthreads();
    if (has_entry) finish(entries[thread]);
  }
}

/// Starts a kernel that calls for_entries with these arguments and reads channels in packs of `width`.
template <class... Parameters, class... Arguments>
void launch_for_entries(Context& context, void (*kernel)(ConvGeometry, Points, int, Parameters...), int width,
                        const ConvGeometry& g, const Points& points, Arguments... arguments) {
  launch(kernel, Grid(blocks_for(points.count * g.entries, panel_threads)), panel_threads, 0, context.stream, g, points,
         lanes_for(g.entry_channels / width), arguments...);
}

/// Fills a panel with what `taps` reads. Taps has a type Found, `find(geometry, output pixel, entry)`, and
/// `load<width>(geometry, found, channel)`, which gives a pack of the input's channels.
template <int width, class T, class Taps>
__global__ void fill_panel_kernel(ConvGeometry g, Points points, int lanes, Taps taps, T* panel) {
  using Found = typename Taps::Found;
  const int lane = static_cast<int>(threadIdx.x) % lanes;
  for_entries<Found>(
      g, points, lanes,
      [&](const PanelEntry& entry) { return taps.find(g, output_pixel(g, points.first + entry.point), entry); },
      [&](int, const PanelEntry* entry, const Found* found) {
        if (entry == nullptr) return;
        for (std::int64_t i = lane * width; i < g.entry_channels; i += lanes * width) {
          const std::int64_t channel = entry->channel + i;
          const std::int64_t to = panel_element(g, points.count, entry->point, entry->tap, channel);
          store_pack_at(panel, to, taps.template load<width>(g, *found, channel));
        }
      },
      [](const PanelEntry&) {});
}

/// Whether the kernels that work on panels may read `input` in packs.
template <class T>
bool packs_fit(const ConvGeometry& g, const T* input) {
  return packs_fit<pack_width<T>>(g.inputs, input) && g.entry_channels % pack_width<T> == 0;
}

template <class T, class Taps>
void fill_panel(Context& context, const ConvGeometry& g, const Points& points, const Taps& taps, T* panel) {
  constexpr int width = pack_width<T>;
  if (packs_fit(g, taps.input)) {
    launch_for_entries(context, fill_panel_kernel<width, T, Taps>, width, g, points, taps, panel);
  } else {
    launch_for_entries(context, fill_panel_kernel<1, T, Taps>, 1, g, points, taps, panel);
  }
}

}  // namespace deft::kernels
