#include <algorithm>
#include <type_traits>

#include "deft/kernels/copy.h"
#include "deft/kernels/cuda/map.h"
#include "deft/kernels/cuda/reduce_block.h"
#include "deft/kernels/detail/instantiate.h"
#include "deft/kernels/runtime/cuda/fault.h"

namespace deft::kernels {
namespace {

// Elements are moved as bits, so that types of one size share their kernels.
template <class T>
using Bits =
    std::conditional_t<sizeof(T) == 1, std::uint8_t, std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>;

template <class T>
const Bits<T>* bits(const T* data) {
  return reinterpret_cast<const Bits<T>*>(data);
}
template <class T>
Bits<T>* bits(T* data) {
  return reinterpret_cast<Bits<T>*>(data);
}

}  // namespace

namespace cuda_copy {

inline constexpr int tile_size = 32, tile_rows = block_threads / tile_size;

struct Identity {
  template <class T>
  __device__ T operator()(T x) const {
    return x;
  }
};

/// Many transpositions of a matrix: output[batch, r, c] = input[batch, c, r], with neighbours along c in the output and
/// along r in the input.
struct Transposition {
  std::int64_t rows = 0, columns = 0;  ///< of the output
  std::int64_t input_pitch = 0;        ///< from one c to the next
  std::int64_t output_pitch = 0;       ///< from one r to the next
  Strided<2> batch;                    ///< input, output
};

/// Both sides are accessed along their neighbours, by way of a tile in shared memory.
template <class T>
__global__ void transpose_kernel(Transposition t, std::int64_t row_tiles, std::int64_t column_tiles, std::int64_t tiles,
                                 const T* input, T* output) {
  DEFT_SHARED(T, tile, tile_size * (tile_size + 1));
  const int x = static_cast<int>(threadIdx.x) % tile_size, first = static_cast<int>(threadIdx.x) / tile_size;
  for (std::int64_t i = blockIdx.x; i < tiles; i += gridDim.x) {
    const std::int64_t number = quotient(i, row_tiles * column_tiles);
    const std::int64_t in_matrix = i - number * row_tiles * column_tiles;
    const std::int64_t tile_row = quotient(in_matrix, column_tiles);
    const std::int64_t row = tile_row * tile_size, column = (in_matrix - tile_row * column_tiles) * tile_size;
    const auto offsets = offsets_at(t.batch, number);
    for (int y = first; y < tile_size; y += tile_rows) {
      if (row + x < t.rows && column + y < t.columns) {
        tile[y * (tile_size + 1) + x] = input[offsets.of[0] + (column + y) * t.input_pitch + row + x];
      }
    }
    __syncthreads();
    for (int y = first; y < tile_size; y += tile_rows) {
      if (row + y < t.rows && column + x < t.columns) {
        output[offsets.of[1] + (row + y) * t.output_pitch + column + x] = tile[x * (tile_size + 1) + y];
      }
    }
    __syncthreads();
  }
}

/// Where copy_rows_kernel finds its rows.
struct PitchedRows {
  std::int64_t pitch;
  __device__ std::int64_t offset(std::int64_t row) const { return row * pitch; }
};

/// Rows that do not exist lie at −1.
struct IndexedRows {
  const std::int64_t* index;
  std::int64_t row_size;
  IndexCheck check;
  __device__ std::int64_t offset(std::int64_t row) const { return check(row, index[row]) ? index[row] * row_size : -1; }
};

/// Rows of `packs` packs; rows that do not exist read as zeros.
template <int width, class T, class Source>
__global__ void copy_rows_kernel(std::int64_t rows, std::int64_t packs, Source source, const T* input, T* output,
                                 std::int64_t output_pitch) {
  for (std::int64_t i = first_index(); i < rows * packs; i += index_step()) {
    const std::int64_t row = quotient(i, packs), column = (i - row * packs) * width;
    const std::int64_t offset = source.offset(row);
    const Pack<T, width> pack = offset < 0 ? Pack<T, width>{} : load_pack<width>(input + offset + column);
    store_pack(output + row * output_pitch + column, pack);
  }
}

/// A warp sums 32 columns of one row of grad_input: it looks at 32 indices at a time and adds those that name its row.
template <class T>
__global__ void index_rows_backward_kernel(std::int64_t n, std::int64_t row_size, std::int64_t rows,
                                           std::int64_t column_blocks, const T* grad_output, const std::int64_t* index,
                                           T* grad_input) {
  const int lane = static_cast<int>(threadIdx.x) % warp_threads;
  const std::int64_t warps = index_step() / warp_threads;
  for (std::int64_t i = first_index() / warp_threads; i < rows * column_blocks; i += warps) {
    const std::int64_t row = quotient(i, column_blocks), column = (i - row * column_blocks) * warp_threads + lane;
    T sum = 0;
    for (std::int64_t first = 0; first < n; first += warp_threads) {
      unsigned hits = __ballot_sync(whole_warp, first + lane < n && index[first + lane] == row);
      for (; hits != 0; hits &= hits - 1) {
        if (column < row_size) sum += grad_output[(first + __ffs(static_cast<int>(hits)) - 1) * row_size + column];
      }
    }
    if (column < row_size) grad_input[row * row_size + column] = sum;
  }
}

}  // namespace cuda_copy

namespace {

/// Describes `space` as transpositions of matrices that are worth it; false where it is none.
bool find_transposition(const Strided<1>& space, cuda_copy::Transposition& t) {
  constexpr std::int64_t worthwhile = 16;
  const int inner = space.rank - 1;
  if (space.rank < 2 || space.stride[0][inner] <= 1 || space.size[inner] < worthwhile) return false;
  const auto strides = space.stride[0];
  const int crossed = static_cast<int>(std::find(strides, strides + inner, 1) - strides);
  if (crossed == inner || space.size[crossed] < worthwhile) return false;
  t.rows = space.size[crossed];
  t.columns = space.size[inner];
  t.input_pitch = space.stride[0][inner];
  std::int64_t step = space.numel();
  for (int axis = 0; axis < inner; ++axis) {
    step /= space.size[axis];
    if (axis == crossed) {
      t.output_pitch = step;
    } else {
      t.batch.add_axis(space.size[axis], {space.stride[0][axis], step});
    }
  }
  return true;
}

template <class T, class Source>
void copy_rows(Cuda device, std::int64_t rows, std::int64_t row_size, bool pitches_fit, const Source& source,
               const T* input, T* output, std::int64_t output_pitch) {
  const Context& ctx = context(device);
  constexpr int width = pack_width<T>;
  if (pitches_fit && packs_fit<width>(row_size, input, output)) {
    const std::int64_t packs = row_size / width;
    launch(cuda_copy::copy_rows_kernel<width, T, Source>, Grid(blocks_for(rows * packs)), block_threads, 0, ctx.stream,
           rows, packs, source, input, output, output_pitch);
  } else {
    launch(cuda_copy::copy_rows_kernel<1, T, Source>, Grid(blocks_for(rows * row_size)), block_threads, 0, ctx.stream,
           rows, row_size, source, input, output, output_pitch);
  }
}

}  // namespace

template <class T>
void copy_strided(Cuda device, const Strided<1>& space, const T* input, T* output) {
  cuda_copy::Transposition t;
  if (space.numel() == 0 || !find_transposition(space, t)) {
    map_broadcast(device, space, cuda_copy::Identity(), bits(output), bits(input));
    return;
  }
  const std::int64_t row_tiles = (t.rows + cuda_copy::tile_size - 1) / cuda_copy::tile_size;
  const std::int64_t column_tiles = (t.columns + cuda_copy::tile_size - 1) / cuda_copy::tile_size;
  const std::int64_t tiles = t.batch.numel() * row_tiles * column_tiles;
  launch(cuda_copy::transpose_kernel<Bits<T>>, Grid(blocks_for(tiles, 1)), block_threads, 0, context(device).stream, t,
         row_tiles, column_tiles, tiles, bits(input), bits(output));
}

template <class T>
void copy_rows(Cuda device, std::int64_t rows, std::int64_t row_size, const T* input, std::int64_t input_pitch,
               T* output, std::int64_t output_pitch) {
  const bool pitches_fit = input_pitch % pack_width<T> == 0 && output_pitch % pack_width<T> == 0;
  copy_rows(device, rows, row_size, pitches_fit, cuda_copy::PitchedRows{input_pitch}, bits(input), bits(output),
            output_pitch);
}

template <class T>
void index_rows_forward(Cuda device, std::int64_t n, std::int64_t row_size, std::int64_t rows, const T* input,
                        const std::int64_t* index, T* output) {
  const IndexCheck check{context(device).fault, "index_rows: index", rows};
  copy_rows(device, n, row_size, true, cuda_copy::IndexedRows{index, row_size, check}, bits(input), bits(output),
            row_size);
}

template <class T>
void index_rows_backward(Cuda device, std::int64_t n, std::int64_t row_size, std::int64_t rows, const T* grad_output,
                         const std::int64_t* index, T* grad_input) {
  const std::int64_t column_blocks = (row_size + warp_threads - 1) / warp_threads;
  launch(cuda_copy::index_rows_backward_kernel<T>, Grid(blocks_for(rows * column_blocks * warp_threads)), block_threads,
         0, context(device).stream, n, row_size, rows, column_blocks, grad_output, index, grad_input);
}

#define DEFT_ALL(T)                                                                                                  \
  template void copy_strided<T>(Cuda, const Strided<1>&, const T*, T*);                                              \
  template void copy_rows<T>(Cuda, std::int64_t, std::int64_t, const T*, std::int64_t, T*, std::int64_t);            \
  template void index_rows_forward<T>(Cuda, std::int64_t, std::int64_t, std::int64_t, const T*, const std::int64_t*, \
                                      T*);
#define DEFT_FLOATING(T)                                                                                              \
  template void index_rows_backward<T>(Cuda, std::int64_t, std::int64_t, std::int64_t, const T*, const std::int64_t*, \
                                       T*);

DEFT_INSTANTIATE_ALL(DEFT_ALL)
DEFT_INSTANTIATE_FLOATING(DEFT_FLOATING)

}  // namespace deft::kernels
