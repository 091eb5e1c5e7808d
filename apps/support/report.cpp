#include "deft/apps/support/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "deft/apps/support/canvas.h"
#include "deft/apps/support/chart.h"
#include "deft/apps/support/checkpoint.h"
#include "deft/apps/support/curves.h"
#include "deft/apps/support/detail/html.h"
#include "deft/apps/support/detail/json.h"
#include "deft/apps/support/detail/report_style.h"
#include "deft/core/file.h"
#include "deft/kernels/runtime/error.h"

namespace deft::support {

namespace {

constexpr std::int64_t worst_count = 24;
constexpr std::size_t mistake_count = 5;
constexpr double picture_width = 600;                    // of the widest that a phone shows whole
constexpr double chart_width = 560, chart_height = 400;  // whose text a phone still shows large enough

// With a space that does not break.
std::string percent(double share, int decimals = 2) { return fmt::format("{:.{}f}\u00a0%", 100 * share, decimals); }

// "3.1 s", "4.2 min".
std::string duration(double seconds) {
  return seconds < 120 ? fmt::format("{:.1f} s", seconds) : fmt::format("{:.1f} min", seconds / 60);
}

// "12345" as "12 345", with thin spaces that do not break.
std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3 && text.size() > 4; at -= 3) text.insert(at - 3, "\u202f");
  return text;
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : to_text(value); }

std::string paragraph(const std::string& text) { return fmt::format("<p>{}</p>\n", escape_html(text)); }

std::string section(const std::string& title, const std::string& contents) {
  return fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", escape_html(title), contents);
}

// What a run's folder says of it.
struct Run {
  Json config, summary;
  History history;

  std::string evaluation() const { return summary.at("evaluation"); }
  std::string title() const {
    return fmt::format("{} · {} · seed {}", text_of(summary.at("experiment")), text_of(summary.at("model")),
                       text_of(summary.at("seed")));
  }
};

Run read_run(const RunDirectory& directory) {
  const std::string checkpoint = directory.checkpoint();
  for (const std::string& file : {directory.config(), directory.summary(), checkpoint}) directory.require(file);
  Run run{.config = read_object(directory.config()),
          .summary = read_object(directory.summary()),
          .history = read_history(checkpoint)};
  if (run.history.epochs.empty()) throw Error(checkpoint + ": no epoch of this run is done");
  return run;
}

// Sharp on screens that have two dots per pixel too.
std::string chart_html(const std::function<Canvas()>& draw_chart, const std::string& text) {
  if (!can_draw()) return "";
  const Canvas canvas = draw_chart();
  return fmt::format("<figure class=\"chart\"><img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\"></figure>\n",
                     data_uri("image/png", canvas.png(2)), canvas.width(), canvas.height(), escape_html(text));
}

std::string tile(const std::string& name, const std::string& value, const std::string& note) {
  return fmt::format("<div><dt>{}</dt><dd class=\"value\">{}</dd><dd class=\"note\">{}</dd></div>\n", escape_html(name),
                     escape_html(value), escape_html(note));
}

double accuracy_of(const ReportedTest& test) {
  double mean = 0;
  for (const ReportedImages& form : test.forms) {
    mean += form.predictions.accuracy() / static_cast<double>(test.forms.size());
  }
  return mean;
}

// The figures that a reader looks for first.
std::string tiles_html(const Run& run, const std::vector<ReportedTest>& tests) {
  const History& history = run.history;
  const EpochRecord &best = history.best(), &last = history.epochs.back();
  const std::string scales =
      best.test.per_scale.empty() ? "" : fmt::format(", mean of {} scales", best.test.per_scale.size());
  std::string html = tile(fmt::format("best {} accuracy", run.evaluation()), percent(best.test.accuracy),
                          fmt::format("epoch {}{}", best.epoch, scales));
  if (&best != &last) {
    html += tile(fmt::format("last {} accuracy", run.evaluation()), percent(last.test.accuracy),
                 fmt::format("epoch {}{}", last.epoch, scales));
  }
  for (const ReportedTest& test : tests) {
    const auto said = [&](const EpochRecord& record) {
      return run.evaluation() == "test" && std::abs(accuracy_of(test) - record.test.accuracy) < 1e-9;
    };
    if (said(best) || said(last)) continue;
    html += tile(test.title, percent(accuracy_of(test)),
                 fmt::format("accuracy, {} images", grouped(test.forms[0].images.dataset().size())));
  }
  html += tile("trained parameters", grouped(run.summary.at("parameters").get<std::int64_t>()), "");
  html +=
      tile("time", duration(history.elapsed(last)), fmt::format("{} epochs with their tests", history.epochs.size()));
  return fmt::format("<dl class=\"tiles\">\n{}</dl>\n", html);
}

std::string curves_html(LineChart chart, const std::string& title) {
  chart.title = title;
  chart.width = chart_width;
  chart.height = chart_height;
  std::string text = fmt::format("{} by {}", title, chart.x_label);
  for (const Series& series : chart.series) {
    text += fmt::format("; {}: {} {:.4g} first, {:.4g} at the end", series.name, chart.y_label, series.points.front().y,
                        series.points.back().y);
  }
  return chart_html([&] { return draw(chart); }, text);
}

std::string epochs_html(const Run& run) {
  HtmlTable table{.caption = "The epoch with the best " + run.evaluation() + " accuracy stands out.",
                  .titles = {"epoch", "learning rate", "train loss", run.evaluation() + " loss", "train acc., %",
                             run.evaluation() + " acc., %", "elapsed, s"},
                  .style = "figures epochs"};
  for (const EpochRecord& record : run.history.epochs) {
    if (&record == &run.history.best()) table.marked_row = table.rows.size();
    table.rows.push_back({std::to_string(record.epoch), fmt::format("{:.3g}", record.learning_rate),
                          fmt::format("{:.4f}", record.train_loss), fmt::format("{:.4f}", record.test.loss),
                          fmt::format("{:.2f}", 100 * record.train_accuracy),
                          fmt::format("{:.2f}", 100 * record.test.accuracy),
                          fmt::format("{:.1f}", run.history.elapsed(record))});
  }
  return to_html(table);
}

std::string training_html(const Run& run) {
  const RunInfo info{.evaluation = run.evaluation()};
  const std::string charts =
      curves_html(loss_chart(info, run.history), "Loss") + curves_html(accuracy_chart(info, run.history), "Accuracy");
  return section("Training", fmt::format("<div class=\"columns\">\n{}</div>\n{}", charts, epochs_html(run)));
}

// Accuracy in every form: a chart and the numbers.
std::string forms_html(const ReportedTest& test) {
  BarChart chart{.title = fmt::format("Accuracy by {}", test.kind),
                 .x_label = test.kind,
                 .y_label = "accuracy in %",
                 .width = chart_width,
                 .height = chart_height};
  HtmlTable table{.titles = {test.kind, "accuracy, %", "loss", "mistakes"}, .style = "figures"};
  std::vector<double> values;
  std::string text = chart.title + ":";
  for (const ReportedImages& form : test.forms) {
    const double accuracy = form.predictions.accuracy();
    chart.labels.push_back(form.name);
    values.push_back(100 * accuracy);
    text += fmt::format(" {} {}{}", form.name, percent(accuracy), &form == &test.forms.back() ? "." : ",");
    const auto mistakes = std::lround(static_cast<double>(form.predictions.size()) * (1 - accuracy));
    table.rows.push_back({form.name, fmt::format("{:.2f}", 100 * accuracy),
                          fmt::format("{:.4f}", form.predictions.loss()), std::to_string(mistakes)});
  }
  chart.series = {{"accuracy", values}};
  return fmt::format("<div class=\"columns\">\n{}{}</div>\n", chart_html([&] { return draw(chart); }, text),
                     to_html(table));
}

using Counts = std::vector<std::vector<std::int64_t>>;

// "Most frequent mistakes: 4 taken for 9 (312 times), …"
std::string mistakes_text(const Counts& counts, const std::vector<std::string>& classes) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    for (std::size_t j = 0; j < counts.size(); ++j) {
      if (i != j && counts[i][j] > 0) pairs.emplace_back(i, j);
    }
  }
  if (pairs.empty()) return "There are no mistakes.";
  std::stable_sort(pairs.begin(), pairs.end(),
                   [&](const auto& a, const auto& b) { return counts[a.first][a.second] > counts[b.first][b.second]; });
  pairs.resize(std::min(pairs.size(), mistake_count));
  std::vector<std::string> mistakes;
  for (const auto& [i, j] : pairs) {
    mistakes.push_back(fmt::format("{} taken for {} ({})", classes[i], classes[j], counts[i][j]));
  }
  return fmt::format("Most frequent mistakes: {}.", fmt::join(mistakes, ", "));
}

std::string confusion_cell(std::int64_t count, std::int64_t sum, bool hit) {
  if (count == 0) return "<td class=\"none\">0</td>";
  // The square root lets rare mistakes show beside the diagonal.
  const double share = std::sqrt(static_cast<double>(count) / static_cast<double>(sum));
  return fmt::format("<td class=\"{}{}\" style=\"--share:{:.2f}\">{}</td>", hit ? "hit" : "miss",
                     share > 0.6 ? " full" : "", share, count);
}

std::string confusion_html(const ReportedTest& test) {
  const std::vector<std::string>& classes = test.forms[0].images.dataset().class_names;
  std::vector<Predictions> parts;
  std::int64_t images = 0;
  for (const ReportedImages& form : test.forms) {
    parts.push_back(form.predictions);
    images += form.predictions.size();
  }
  const Counts counts = confusion_counts(parts, static_cast<std::int64_t>(classes.size()));
  const bool long_names = std::any_of(classes.begin(), classes.end(), [](const auto& name) { return name.size() > 3; });

  std::string html = fmt::format("<div class=\"scroll\"><table class=\"confusion{}\">\n<caption>{}</caption>\n",
                                 long_names ? " long" : "", "Rows: true class. Columns: class found.");
  html += "<thead><tr><th class=\"name\"></th>";
  for (const std::string& name : classes)
    html += fmt::format("<th scope=\"col\"><span>{}</span></th>", escape_html(name));
  html += "<th scope=\"col\" class=\"rate\">found</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < counts.size(); ++i) {
    std::int64_t sum = 0;
    for (const std::int64_t count : counts[i]) sum += count;
    html += fmt::format("<tr><th scope=\"row\" class=\"name\">{}</th>", escape_html(classes[i]));
    for (std::size_t j = 0; j < counts.size(); ++j) html += confusion_cell(counts[i][j], sum, i == j);
    html += fmt::format("<td class=\"rate\">{}</td></tr>\n",
                        sum == 0 ? "–" : percent(static_cast<double>(counts[i][i]) / static_cast<double>(sum)));
  }
  html += "</tbody></table></div>\n";
  return "<h3>Confusion matrix</h3>\n" +
         paragraph(fmt::format("{} images in all. {}", grouped(images), mistakes_text(counts, classes))) + html;
}

std::string image_html(const Tensor& image, const std::string& text) {
  if (!can_draw()) return "";
  const auto height = static_cast<double>(image.size(0)), width = static_cast<double>(image.size(1));
  Canvas canvas(width, height);
  canvas.image(image, {0, 0, width, height});
  return fmt::format("<img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\">", data_uri("image/png", canvas.png()),
                     width, height, escape_html(text));
}

std::string worst_html(const ReportedTest& test) {
  std::vector<Predictions> forms;
  for (const ReportedImages& form : test.forms) forms.push_back(form.predictions);
  const std::vector<std::string>& classes = test.forms[0].images.dataset().class_names;
  std::string html;
  for (const TestedImage& at : worst_images(forms, worst_count)) {
    const ReportedImages& form = test.forms[at.form];
    const auto i = static_cast<std::size_t>(at.image);
    const std::string& label = classes[static_cast<std::size_t>(form.predictions.labels[i])];
    const std::string& found = classes[static_cast<std::size_t>(form.predictions.found[i])];
    const std::string where = test.forms.size() > 1 ? fmt::format("{} {}, image {}", test.kind, form.name, at.image)
                                                    : fmt::format("image {}", at.image);
    const std::string verdict = label == found ? label + ", found" : fmt::format("{} taken for {}", label, found);
    html += fmt::format(
        "<figure>{}<figcaption><span class=\"found\">{}</span>, {}<br>\n<span class=\"note\">{}<br>loss "
        "{:.2f}</span></figcaption></figure>\n",
        image_html(image_bytes(form.image(at.image), form.images.options().transform),
                   fmt::format("Test image {}: {}", at.image, label)),
        escape_html(verdict), percent(form.predictions.probabilities[i], 1), escape_html(where),
        form.predictions.losses[i]);
  }
  const std::string text = fmt::format(
      "The images with the largest losses{}, as the net saw them: true class, class found and its probability.",
      test.forms.size() > 1 ? fmt::format(", each in its worst {}", test.kind) : "");
  return fmt::format("<h3>Worst-classified images</h3>\n{}<div class=\"worst\">\n{}</div>\n", paragraph(text), html);
}

std::string test_html(const ReportedTest& test) {
  const std::string forms = test.forms.size() > 1 ? forms_html(test) : "";
  return section(test.title, paragraph(test.text) + forms + confusion_html(test) + worst_html(test));
}

std::string pictures_html(const ReportedPictures& group) {
  std::string html;
  for (const ReportedPicture& picture : group.pictures) {
    html += fmt::format("<figure class=\"picture{}\"><img src=\"{}\" width=\"{}\" alt=\"{}\"></figure>\n",
                        picture.width > picture_width ? " wide" : "", data_uri("image/png", picture.png), picture.width,
                        escape_html(picture.text));
  }
  return section(group.title, paragraph(group.text) + fmt::format("<div class=\"pictures\">\n{}</div>\n", html));
}

double mean_seconds(const History& history, double EpochRecord::*seconds) {
  double sum = 0;
  for (const EpochRecord& record : history.epochs) sum += record.*seconds;
  return sum / static_cast<double>(history.epochs.size());
}

std::string settings_html(const Run& run) {
  HtmlTable machine{.caption = "Run", .style = "pairs"},
      settings{.caption = "Settings (config.json)", .style = "pairs"};
  const auto add = [&](const std::string& name, const std::string& text) { machine.rows.push_back({name, text}); };
  for (const char* key : {"experiment", "model", "seed", "data", "evaluation", "epochs", "best_epoch", "parameters",
                          "machine", "device", "threads", "instruction_set", "precision", "conv_algorithm"}) {
    std::string name = key;
    std::replace(name.begin(), name.end(), '_', ' ');
    add(name, text_of(run.summary.at(key)));
  }
  add("training", duration(mean_seconds(run.history, &EpochRecord::seconds)) + " an epoch");
  add(run.evaluation(), duration(mean_seconds(run.history, &EpochRecord::test_seconds)) + " after each epoch");
  for (const auto& [key, value] : run.config.items()) {
    const std::string text = text_of(value);
    settings.rows.push_back({key, text.empty() ? "–" : text});
  }
  return section("Settings and machine",
                 fmt::format("<div class=\"columns\">\n{}{}</div>\n", to_html(machine), to_html(settings)));
}

// It may load nothing from anywhere, which its policy says too; the empty icon keeps servers from being asked for one.
std::string page(const std::string& title, const std::string& lead, const std::string& contents) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "'unsafe-inline'\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n"
      "<header>\n<h1>{0}</h1>\n{2}</header>\n<main>\n{3}</main>\n"
      "<footer>deft: a training run on one page, made from the files of its folder.</footer>\n</body>\n</html>\n",
      escape_html(title), report_style, lead, contents);
}

}  // namespace

Tensor ReportedImages::image(std::int64_t index) const {
  const LoaderOptions& options = images.options();
  return transform_images(images.dataset().images, options.transform, {index}, options.seed);
}

std::string report_html(const RunDirectory& directory, const std::vector<ReportedTest>& tests,
                        const std::vector<ReportedPictures>& pictures) {
  const Run run = read_run(directory);
  try {
    std::string lead = paragraph(text_of(run.summary.at("data")));
    if (!can_draw()) lead += paragraph("Charts and images are left out: this build of deft has no cairo to draw with.");
    std::string contents = tiles_html(run, tests) + training_html(run);
    for (const ReportedTest& test : tests) contents += test_html(test);
    if (can_draw()) {
      for (const ReportedPictures& group : pictures) contents += pictures_html(group);
    }
    return page(run.title(), lead, contents + settings_html(run));
  } catch (const Json::exception&) {
    throw Error(directory.summary() + ": is not the summary of a training run");
  }
}

}  // namespace deft::support
