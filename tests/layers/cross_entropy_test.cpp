// Cross entropy with class weights, ignored targets, label smoothing and soft targets: values and gradients computed in
// float64 by PyTorch 2.15's torch.nn.functional.cross_entropy.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "deft/core/elementwise.h"
#include "deft/core/gradcheck.h"
#include "deft/core/random.h"
#include "deft/core/reduce.h"
#include "deft/core/shape_ops.h"
#include "deft/layers/loss.h"

#include "catch.h"
#include "random_tensor.h"

using namespace deft;
using Catch::Matchers::Equals;

namespace {

using Values = std::vector<double>;

struct Case {
  bool weighted = false;
  double smoothing = 0, mean = 0;
  Values losses, grad_logits = {}, grad_target = {};  ///< gradients of the mean
};

Tensor logits(DType dtype) {
  return from_vector<double>({0.5, -1.25, 2, 1.5, 0.25, -0.75, -2, 0, 1, 0.75, 0.5, -0.25}, {4, 3})
      .to(dtype)
      .set_requires_grad();
}

Tensor probabilities(DType dtype) {
  return from_vector<double>({0.25, 0.5, 0.25, 1, 0, 0, 0.125, 0.125, 0.75, 0.5, 0.25, 0.125}, {4, 3})
      .to(dtype)
      .set_requires_grad();
}

Tensor classes() { return from_vector<std::int64_t>({2, 0, -100, 1}); }

Tensor weight(DType dtype = DType::float64) { return from_vector<double>({0.5, 2, 1.25}).to(dtype); }

void require_values(const std::string& what, const Tensor& actual, const Values& expected) {
  const double tolerance = actual.dtype() == DType::float64 ? 1e-13 : 1e-6;
  const Values values = actual.detach().to(DType::float64).to_vector<double>();
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    INFO(what << "[" << i << "] in " << to_string(actual.dtype()));
    REQUIRE(values[i] == Approx(expected[i]).epsilon(tolerance).margin(tolerance));
  }
}

void check(const Case& wanted, const Tensor& x, const Tensor& target, CrossEntropyOptions options = {}) {
  INFO("weighted " << wanted.weighted << ", label smoothing " << wanted.smoothing);
  if (wanted.weighted) options.weight = weight(x.dtype());
  options.label_smoothing = wanted.smoothing;
  const Tensor mean = cross_entropy(x, target, options);
  mean.backward();
  require_values("mean", mean, {wanted.mean});
  require_values("grad_logits", x.grad(), wanted.grad_logits);
  if (target.requires_grad()) require_values("grad_target", target.grad(), wanted.grad_target);
  options.reduction = Reduction::none;
  require_values("losses", cross_entropy(x, target, options), wanted.losses);
  options.reduction = Reduction::sum;
  double total = 0;
  for (const double loss : wanted.losses) total += loss;
  require_values("sum", cross_entropy(x, target, options), {total});
}

}  // namespace

TEST_CASE("cross entropy of classes with weights and an ignored target is PyTorch's") {
  const std::vector<Case> cases = {
      {.weighted = false,
       .smoothing = 0.0,
       .mean = 0.525739053192848,
       .losses = {0.232621983102033, 0.330672609407224, 0, 1.01392256706929},
       .grad_logits = {0.0589400607024814, 0.0102422467754788, -0.0691823074779602, -0.0938532196163117,
                       0.0686122013325505, 0.0252410182837612, 0, 0, 0, 0.155278522422175, -0.212402298476772,
                       0.0571237760545971}},
      {.weighted = false,
       .smoothing = 0.1,
       .mean = 0.62296127541507,
       .losses = {0.390955316435366, 0.447339276073891, 0, 1.03058923373595},
       .grad_logits = {0.0478289495913703, -0.000868864335632301, -0.046960085255738, -0.0716309973940894,
                       0.0575010902214394, 0.0141299071726501, 0, 0, 0, 0.144167411311064, -0.19018007625455,
                       0.046012664943486}},
      {.weighted = true,
       .smoothing = 0.0,
       .mean = 0.662389044725261,
       .losses = {0.290777478877541, 0.165336304703612, 0, 2.02784513413857},
       .grad_logits = {0.0589400607024814, 0.0102422467754788, -0.0691823074779602, -0.0375412878465247,
                       0.0274448805330202, 0.0100964073135045, 0, 0, 0, 0.248445635875481, -0.339843677562836,
                       0.0913980416873554}},
      {.weighted = true,
       .smoothing = 0.1,
       .mean = 0.767612934460908,
       .losses = {0.532444145544207, 0.367220083742487, 0, 1.97888427494171},
       .grad_logits = {0.054495616258037, -0.00753553100229897, -0.0469600852557381, -0.0142835921346145,
                       0.0137838348351955, 0.000499757299419026, 0, 0, 0, 0.234684480085706, -0.311543984098674,
                       0.0768595040129685}},
  };
  for (const DType dtype : {DType::float64, DType::float32}) {
    for (const Case& wanted : cases) check(wanted, logits(dtype), classes());
  }
}

TEST_CASE("a class that exists can be ignored, as in PyTorch") {
  const Case wanted = {.weighted = true,
                       .smoothing = 0.1,
                       .mean = 0.938441743473679,
                       .losses = {0, 0.367220083742487, 0, 1.97888427494171},
                       .grad_logits = {0, 0, 0, -0.0214253882019217, 0.0206757522527932, 0.00074963594912854, 0, 0, 0,
                                       0.352026720128558, -0.467315976148011, 0.115289256019453}};
  for (const DType dtype : {DType::float64, DType::float32}) {
    check(wanted, logits(dtype), from_vector<std::int64_t>({2, 0, 2, 1}), {.ignore_index = 2});
  }
}

TEST_CASE("cross entropy of soft targets is PyTorch's") {
  const std::vector<Case> cases = {
      {.weighted = false,
       .smoothing = 0.0,
       .mean = 1.06705976386577,
       .losses = {2.23262198310203, 0.330672609407224, 0.849012216768187, 0.855932246185626},
       .grad_logits = {-0.0182949544731389, -0.117318314918391, 0.13561326939153, -0.0703899147122338,
                       0.0514591509994129, 0.0189307637128209, -0.0224702432601651, 0.0336241150856048,
                       -0.0111538718254397, -0.0230984696604474, 0.016860991624618, 0.00623747803582937},
       .grad_target = {0.433155495775508, 0.870655495775508, 0.0581554957755082, 0.082668152351806, 0.395168152351806,
                       0.645168152351806, 0.837253054192047, 0.337253054192047, 0.0872530541920466, 0.190980641767322,
                       0.253480641767322, 0.440980641767322}},
      {.weighted = false,
       .smoothing = 0.1,
       .mean = 1.11475952188786,
       .losses = {2.19095531643537, 0.447339276073891, 0.93234555010152, 0.888397944940659},
       .grad_logits = {-0.0203782878064723, -0.113151648251724, 0.133529936058196, -0.0537232480455671,
                       0.0431258176660796, 0.0105974303794875, -0.0276785765934984, 0.0284157817522714,
                       -0.000737205158773069, -0.0174760668460729, 0.015911386743065, 0.00156468010300788},
       .grad_target = {0.389839946197957, 0.783589946197957, 0.0523399461979574, 0.0744013371166254, 0.355651337116625,
                       0.580651337116625, 0.753527748772842, 0.303527748772842, 0.078527748772842, 0.17188257759059,
                       0.22813257759059, 0.39688257759059}},
      {.weighted = true,
       .smoothing = 0.0,
       .mean = 1.44613762569489,
       .losses = {3.77189410070917, 0.165336304703612, 0.873765270960233, 0.973554826406541},
       .grad_logits = {0.0322947529448628, -0.238957577695187, 0.206662824750324, -0.0351949573561169,
                       0.0257295754997064, 0.00946538185641044, -0.00465030407520634, 0.018592643857006,
                       -0.0139423397817997, 0.0430408707088223, -0.0428046872459313, -0.000236183462891014},
       .grad_target = {0.216577747887754, 1.74131099155102, 0.0726943697193852, 0.041334076175903, 0.790336304703612,
                       0.806460190439757, 0.418626527096023, 0.674506108384093, 0.109066317740058, 0.0954903208836609,
                       0.506961283534644, 0.551225802209152}},
      {.weighted = true,
       .smoothing = 0.1,
       .mean = 1.50234353113624,
       .losses = {3.66544910519268, 0.367220083742487, 0.9466819376269, 1.03002299798288},
       .grad_logits = {0.0304242416745675, -0.230768275957134, 0.200344034282566, -0.0133908676262011,
                       0.0129223451579957, 0.000468522468205338, -0.00725447074187301, 0.00817597719033929,
                       -0.000921506448466343, 0.0491274784483523, -0.0438536006702023, -0.0052738777781501},
       .grad_target = {0.194919973098979, 1.56717989239591, 0.0654249327474467, 0.0372006685583127, 0.711302674233251,
                       0.725814171395782, 0.376763874386421, 0.607055497545684, 0.0981596859660525, 0.0859412887952948,
                       0.456265155181179, 0.496103221988237}},
  };
  for (const DType dtype : {DType::float64, DType::float32}) {
    for (const Case& wanted : cases) check(wanted, logits(dtype), probabilities(dtype));
  }
}

TEST_CASE("where every target is ignored the mean is NaN, the sum and the gradient 0") {
  for (const double smoothing : {0.0, 0.1}) {
    const Tensor x = logits(DType::float64), ignored = full({4}, -100, {.dtype = DType::int64});
    CrossEntropyOptions options{.weight = weight(), .label_smoothing = smoothing};
    const Tensor mean = cross_entropy(x, ignored, options);
    CHECK(std::isnan(mean.item()));
    mean.backward();
    CHECK(x.grad().to_vector<double>() == Values(12, 0));
    options.reduction = Reduction::sum;
    CHECK(cross_entropy(x, ignored, options).item() == 0);
  }
}

TEST_CASE("an ignored row may hold anything") {
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor x = from_vector<double>({1, 1, infinity, nan}, {2, 2}).set_requires_grad();
  const Tensor loss = cross_entropy(x, from_vector<std::int64_t>({0, -100}));
  loss.backward();
  CHECK(loss.item() == Approx(std::log(2.0)));
  require_values("gradient", x.grad(), {-0.5, 0.5, 0, 0});
}

TEST_CASE("cross entropy without weights is the mean of the losses to the bit") {
  const Tensor x = random_tensor({37, 11}, 3).to(DType::float32), target = randint(0, 11, {37});
  const Tensor losses = cross_entropy(x, target, {.reduction = Reduction::none});
  CHECK(cross_entropy(x, target).item<float>() == mean(losses).item<float>());
  const Tensor same = cross_entropy(x, target, {.weight = ones({11}), .label_smoothing = 0.1});
  CHECK(same.item<float>() == cross_entropy(x, target, {.label_smoothing = 0.1}).item<float>());
}

TEST_CASE("cross entropy takes the classes from the last of any number of axes") {
  const Tensor x = random_tensor({2, 3, 4, 5}, 1), soft = random_tensor({2, 3, 4, 5}, 2);
  const Tensor target = randint(0, 5, {2, 3, 4});
  const Tensor flat_x = reshape(x, {24, 5}), flat_target = reshape(target, {24});
  const Tensor losses = cross_entropy(x, target, {.reduction = Reduction::none});
  CHECK(losses.shape() == Shape{2, 3, 4});
  CHECK(losses.to_vector<double>() ==
        cross_entropy(flat_x, flat_target, {.reduction = Reduction::none}).to_vector<double>());
  CHECK(cross_entropy(x, target).item() == cross_entropy(flat_x, flat_target).item());
  CHECK(cross_entropy(x, soft).item() == Approx(cross_entropy(flat_x, reshape(soft, {24, 5})).item()).epsilon(1e-14));
  // A single row, [classes] with a scalar: the second of the first test.
  const Tensor row = select(logits(DType::float64), 0, 1), its_class = select(classes(), 0, 1);
  CHECK(cross_entropy(row, its_class).item() == Approx(0.330672609407224).epsilon(1e-14));
}

TEST_CASE("gradients of cross entropy over its options") {
  const Tensor target = from_vector<std::int64_t>({4, -100, 2, 0}), x = random_tensor({4, 5}, 1);
  const Tensor soft = random_tensor({4, 5}, 2), weights = from_vector<double>({0.5, 2, 1, 0, 1.5});
  for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
    for (const double smoothing : {0.0, 0.1, 1.0}) {
      for (const Tensor& weight : {Tensor(), weights}) {
        const CrossEntropyOptions options{.weight = weight, .label_smoothing = smoothing, .reduction = reduction};
        const auto of_classes = gradcheck([&](const auto& in) { return cross_entropy(in[0], target, options); }, {x});
        INFO(of_classes.message);
        CHECK(of_classes.ok);
        const auto of_soft = gradcheck([&](const auto& in) { return cross_entropy(in[0], in[1], options); }, {x, soft});
        INFO(of_soft.message);
        CHECK(of_soft.ok);
      }
    }
  }
}

TEST_CASE("cross entropy says what does not fit") {
  const Tensor x = zeros({2, 3}), target = from_vector<std::int64_t>({0, 1}), soft = zeros({2, 3});
  const std::string expected = ", expected int64 [2] (classes) or float32 [2, 3] (probabilities)";
  CHECK_THROWS_WITH(cross_entropy(x, from_vector<std::int64_t>({0})),
                    Equals("cross_entropy: target is int64 [1]" + expected));
  CHECK_THROWS_WITH(cross_entropy(x, zeros({2})), Equals("cross_entropy: target is float32 [2]" + expected));
  CHECK_THROWS_WITH(cross_entropy(x, zeros({2, 3}, {.dtype = DType::float64})),
                    Equals("cross_entropy: target is float64 [2, 3]" + expected));
  CHECK_THROWS_WITH(cross_entropy(x, zeros({2, 3}, {.dtype = DType::int64})),
                    Equals("cross_entropy: target is int64 [2, 3]" + expected));
  CHECK_THROWS_WITH(cross_entropy(x, zeros({2}, {.dtype = DType::uint8})),
                    Equals("cross_entropy: target is uint8 [2]" + expected));
  for (const std::int64_t wrong : {std::int64_t{3}, std::int64_t{-1}, std::int64_t{-100}}) {
    CHECK_THROWS_WITH(cross_entropy(x, from_vector<std::int64_t>({1, wrong}), {.ignore_index = 1}).item(),
                      Equals("cross_entropy: target[1] is " + std::to_string(wrong) + ", expected 0 to 2"));
  }
  CHECK_THROWS_WITH(cross_entropy(x, soft, {.ignore_index = 0}),
                    Equals("cross_entropy: ignore_index is 0, expected none with a target of probabilities"));
  CHECK_THROWS_WITH(cross_entropy(x, target, {.weight = ones({2})}),
                    Equals("cross_entropy: weight is [2], expected [3] (classes of logits [2, 3])"));
  CHECK_THROWS_WITH(cross_entropy(x, target, {.weight = weight()}),
                    Equals("cross_entropy: weight is float64, but logits is float32; convert with to()"));
  CHECK_THROWS_WITH(cross_entropy(x, soft, {.weight = ones({3}, {.requires_grad = true})}),
                    Equals("cross_entropy: weight requires grad, expected a constant"));
  CHECK_THROWS_WITH(cross_entropy(zeros({}), target),
                    Equals("cross_entropy: logits is [], expected [..., classes] with at least one class"));
  CHECK_THROWS_WITH(cross_entropy(zeros({2, 0}), target),
                    Equals("cross_entropy: logits is [2, 0], expected [..., classes] with at least one class"));
  for (const double wrong : {2.0, -0.5}) {
    CHECK_THROWS_WITH(
        cross_entropy(x, target, {.label_smoothing = wrong}),
        Equals("cross_entropy: label_smoothing is " + std::string(wrong == 2 ? "2" : "-0.5") + ", expected 0 to 1"));
  }
}
