// What backward does at the cell of every tap, given the gradient of its sample.
#pragma once

#include <cstdint>

#include "deft/kernels/cpu/deform_panel.h"
#include "deft/kernels/runtime/cpu/simd.h"

namespace deft::kernels::DEFT_SIMD {

/// Inner products of a sample's gradient with the four corners of its cell, in parts.
template <class T>
struct CornerSums {
  Vector<T> at_00 = {}, at_01 = {}, at_10 = {}, at_11 = {};
};

/// What is wanted of a visit: the samples, the inner products with the corners, the input's gradient.
struct VisitParts {
  bool samples, sums, input;
};

/// Visits cells of a padded image. `pixel` and `row` are the distances between corners.
template <class T>
struct CellVisitor {
  std::int64_t pixel, row;
  const T* pixels;
  T* input_gradient;  // padded too; null when not wanted

  /// Visits one vector of channels, `keep` of which count. Reads the gradient of the sample at `at`, adds its products
  /// with the corners to `sums`, and itself, weighted, to the corners of the input's gradient; the sample takes its
  /// place.
  template <class Keep>
  void visit(T* at, std::int64_t cell, const CornerWeights<T>& weights, Keep keep, CornerSums<T>& sums,
             VisitParts parts) const {
    const Vector<T> gradient = load(at);
    if (parts.samples || parts.sums) {
      const CornerValues<T> values(pixels + cell, pixel, row);
      if (parts.sums) {
        sums.at_00 += keep(gradient * values.at_00, Vector<T>{});
        sums.at_01 += keep(gradient * values.at_01, Vector<T>{});
        sums.at_10 += keep(gradient * values.at_10, Vector<T>{});
        sums.at_11 += keep(gradient * values.at_11, Vector<T>{});
      }
      if (parts.samples) store(at, keep(values.sample(weights), gradient));
    }
    if (parts.input) {
      T* const to = input_gradient + cell;
      add(to, weights.at_00 * gradient, keep);
      add(to + pixel, weights.at_01 * gradient, keep);
      add(to + row, weights.at_10 * gradient, keep);
      add(to + row + pixel, weights.at_11 * gradient, keep);
    }
  }

  /// Visits `vectors` whole vectors of channels.
  template <int vectors>
  void visit_vectors(T* at, std::int64_t cell, const CornerWeights<T>& weights, CornerSums<T>& sums,
                     VisitParts parts) const {
    DEFT_UNROLL
    for (int i = 0; i < vectors; ++i) {
      visit(
          at + i * lanes<T>, cell + i * lanes<T>, weights, [](Vector<T> v, Vector<T>) { return v; }, sums, parts);
    }
  }

  /// Visits any number of channels.
  void visit_channels(T* at, std::int64_t cell, std::int64_t count, const CornerWeights<T>& weights,
                      CornerSums<T>& sums, VisitParts parts) const {
    if (count < 4) {
      for (std::int64_t i = 0; i < count; ++i) visit_element(at + i, cell + i, weights, sums, parts);
      return;
    }
    std::int64_t i = 0;
    for (; i + lanes<T> <= count; i += lanes<T>) visit_vectors<1>(at + i, cell + i, weights, sums, parts);
    const std::int64_t rest = count - i;
    if (rest == 0) return;
    visit(
        at + i, cell + i, weights, [rest](Vector<T> v, Vector<T> other) { return first_lanes<T>(v, rest, other); },
        sums, parts);
  }

 private:
  template <class Keep>
  static void add(T* to, Vector<T> value, Keep keep) {
    store(to, load(to) + keep(value, Vector<T>{}));
  }

  /// One channel by itself: vectors at neighbouring pixels would overlap, and wait for each other's writes.
  void visit_element(T* at, std::int64_t cell, const CornerWeights<T>& weights, CornerSums<T>& sums,
                     VisitParts parts) const {
    const T gradient = *at;
    const T* const from = pixels + cell;
    const std::int64_t corners[4] = {0, pixel, row, row + pixel};
    const T factors[4] = {weights.at_00[0], weights.at_01[0], weights.at_10[0], weights.at_11[0]};
    if (parts.sums) {
      sums.at_00[0] += gradient * from[corners[0]];
      sums.at_01[0] += gradient * from[corners[1]];
      sums.at_10[0] += gradient * from[corners[2]];
      sums.at_11[0] += gradient * from[corners[3]];
    }
    if (parts.samples) {
      *at = factors[0] * from[corners[0]] + factors[1] * from[corners[1]] + factors[2] * from[corners[2]] +
            factors[3] * from[corners[3]];
    }
    if (!parts.input) return;
    for (int corner = 0; corner < 4; ++corner) input_gradient[cell + corners[corner]] += factors[corner] * gradient;
  }
};

/// Where a block's gradients of offsets and mask values go, and its mask. Each may be null.
template <class T>
struct Positions {
  const T* mask;
  T *grad_offset, *grad_mask;

  Positions from(std::int64_t e) const {
    return {mask == nullptr ? nullptr : mask + e, grad_offset == nullptr ? nullptr : grad_offset + 2 * e,
            grad_mask == nullptr ? nullptr : grad_mask + e};
  }
};

/// Writes the gradients of lanes<T> positions from the inner products of their entries, the plan's from `e` on.
template <class T>
void write_whole_positions(const SamplingPlan<T>& plan, std::int64_t e, const T* sums, const Positions<T>& to) {
  Vector<T> at[4];  // inner products with corners 00, 01, 10 and 11
  sums_of_parts(sums, at);
  const Vector<T> y = load(plan.y() + e), x = load(plan.x() + e);
  if (to.grad_offset != nullptr) {
    const Vector<T> factor = to.mask == nullptr ? broadcast(T(1)) : load(to.mask);
    store_pairs<T>(to.grad_offset, factor * ((1 - x) * (at[2] - at[0]) + x * (at[3] - at[1])),
                   factor * ((1 - y) * (at[1] - at[0]) + y * (at[3] - at[2])));
  }
  if (to.grad_mask != nullptr) {
    store(to.grad_mask, (1 - y) * ((1 - x) * at[0] + x * at[1]) + y * ((1 - x) * at[2] + x * at[3]));
  }
}

/// Writes the gradients of positions [first, end) of a block. `sums` is those entries' own, readable to whole vectors.
template <class T>
void write_positions(const SamplingPlan<T>& plan, std::int64_t first, std::int64_t end, const T* sums,
                     const Positions<T>& to) {
  std::int64_t e = first;
  for (; e + lanes<T> <= end; e += lanes<T>) {
    write_whole_positions(plan, e, sums + (e - first) * parts_size<T>, to.from(e));
  }
  if (e == end) return;
  const Positions<T> rest = to.from(e);
  T masks[lanes<T>] = {}, grad_offset[2 * lanes<T>], grad_mask[lanes<T>];
  for (std::int64_t i = 0; i < end - e; ++i) masks[i] = rest.mask == nullptr ? T(1) : rest.mask[i];
  write_whole_positions(plan, e, sums + (e - first) * parts_size<T>, {masks, grad_offset, grad_mask});
  for (std::int64_t i = 0; i < end - e; ++i) {
    if (rest.grad_offset != nullptr) {
      rest.grad_offset[2 * i] = grad_offset[2 * i];
      rest.grad_offset[2 * i + 1] = grad_offset[2 * i + 1];
    }
    if (rest.grad_mask != nullptr) rest.grad_mask[i] = grad_mask[i];
  }
}

/// Visits all entries of a plan for channels that fill `vectors` vectors and share one set of offsets. `panel` holds
/// the gradients of the samples and gets the samples.
template <int vectors, class T>
void visit_taps(const CellVisitor<T>& shared, const SamplingPlan<T>& plan, std::int64_t entries, T* panel,
                const Positions<T>& positions) {
  constexpr std::int64_t channels = vectors * lanes<T>;
  const CellVisitor<T> visitor{channels, shared.row, shared.pixels, shared.input_gradient};
  const PlanReader<T> reader(plan);
  alignas(64) T sums[lanes<T> * parts_size<T>];
  for (std::int64_t first = 0; first < entries; first += lanes<T>) {
    const std::int64_t end = entries - first < lanes<T> ? entries : first + lanes<T>;
    T* to = sums;
    for (std::int64_t e = first; e < end; ++e) {
      CornerSums<T> products;
      visitor.template visit_vectors<vectors>(panel, reader.cell(e), reader.weights(e), products, {true, true, true});
      store_parts<T>(products.at_00, products.at_01, products.at_10, products.at_11, to);
      panel += channels;
      to += parts_size<T>;
    }
    write_positions(plan, first, end, sums, positions);
  }
}

/// Visits the taps of one point. `sums` gets parts_size elements per entry.
template <class T>
void visit_point(const DeformGeometry& geometry, const CellVisitor<T>& visitor, const PlanReader<T>& plan,
                 std::int64_t point, std::int64_t group_size, T* panels, T* sums, VisitParts parts) {
  const std::int64_t taps = geometry.shape.taps(), stride = panel_stride<T>(geometry.depth);
  const Segment* const end = geometry.end(geometry.shape.groups - 1);
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    CornerSums<T> products;
    for (const Segment* segment = geometry.begin(0); segment != end;) {
      const std::int64_t offset_group = segment->offset_group, own = offset_group * taps + tap;
      const std::int64_t e = point * geometry.entries + own;
      T* const at = panels + segment->group * group_size + point * stride + tap * geometry.inputs + segment->column;
      visitor.visit_channels(at, plan.cell(e) + segment->channel, segment->count, plan.weights(e), products, parts);
      if (++segment != end && segment->offset_group == offset_group) continue;
      if (parts.sums) {
        store_parts<T>(products.at_00, products.at_01, products.at_10, products.at_11, sums + own * parts_size<T>);
      }
      products = CornerSums<T>();
    }
  }
}

/// Visits all entries of a plan for `count` points. The panels of the groups are `group_size` apart; `sums` has room
/// for lanes<T> points.
template <class T>
void visit_panels(const DeformGeometry& geometry, const CellVisitor<T>& visitor, const SamplingPlan<T>& plan,
                  std::int64_t count, std::int64_t group_size, T* panels, T* sums, VisitParts parts,
                  const Positions<T>& positions) {
  with_usual_vectors<T>(geometry, [&](auto vectors) {
    constexpr int n = decltype(vectors)::value;
    if constexpr (n > 0) {
      if (parts.samples && parts.sums && parts.input) {
        return visit_taps<n>(visitor, plan, count * geometry.entries, panels, positions);
      }
    }
    const PlanReader<T> reader(plan);
    const std::int64_t entries = geometry.entries;
    for (std::int64_t first = 0; first < count; first += lanes<T>) {
      const std::int64_t end = count - first < lanes<T> ? count : first + lanes<T>;
      for (std::int64_t point = first; point < end; ++point) {
        visit_point(geometry, visitor, reader, point, group_size, panels,
                    sums + (point - first) * entries * parts_size<T>, parts);
      }
      if (parts.sums) write_positions(plan, first * entries, end * entries, sums, positions);
    }
  });
}

}  // namespace deft::kernels::DEFT_SIMD
