// Settings of a program: typed values with a name, a default and a help text, given in a JSON file or as flags.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace deft::support {

/// One setting. Its name is the key in a JSON file ("batch_size"); the flag has dashes ("--batch-size").
struct Setting {
  /// The variable that it sets; what that holds at first is the default.
  using Target = std::variant<bool*, std::int64_t*, double*, std::string*, std::vector<std::int64_t>*,
                              std::vector<double>*, std::vector<std::string>*>;

  std::string name;
  Target target;
  std::string help;
  double minimum = 0;                     ///< of numbers
  std::vector<std::string> choices = {};  ///< of text; empty: any
  bool positional = false;                ///< given without a flag, and only there

  /// "--batch-size", or "IMAGE" for a positional one.
  std::string flag() const;
};

/// What load_json does with keys that name no setting.
enum class UnknownKeys { refuse, skip };

/// The settings of one command. They are bound to variables, which must outlive this list.
class Settings {
 public:
  /// A switch, off unless given.
  void add(std::string name, bool& value, std::string help);
  void add(std::string name, std::int64_t& value, std::string help, std::int64_t minimum = 0);
  void add(std::string name, double& value, std::string help, double minimum = 0);
  void add(std::string name, std::string& value, std::string help, std::vector<std::string> choices = {});
  /// A list of numbers: [64, 128] in a file, 64,128 as a flag.
  void add(std::string name, std::vector<std::int64_t>& values, std::string help, std::int64_t minimum = 0);
  void add(std::string name, std::vector<double>& values, std::string help, double minimum = 0);
  /// A list of words: ["a", "b"] in a file, a,b as a flag.
  void add(std::string name, std::vector<std::string>& values, std::string help);
  /// A required argument without a flag.
  void add_positional(std::string name, std::string& value, std::string help);
  /// One or more of them.
  void add_positional(std::string name, std::vector<std::string>& values, std::string help);

  const std::vector<Setting>& list() const { return list_; }

  /// Sets one from the text of a flag. Throws Error that names flag and text: `--epochs is 'ten', expected an integer`.
  void set_from_text(const Setting& setting, const std::string& text) const;

  /// Sets those that the JSON object in `file` names. Throws Error that names the file and: for an unknown key, unless
  /// it is skipped, the nearest known one; for a value of the wrong type or out of range, key and value; for text that is not JSON, the
  /// place.
  void load_json(const std::string& file, UnknownKeys unknown = UnknownKeys::refuse) const;

  /// A JSON object of all settings but positional ones, readable by load_json.
  std::string to_json() const;

 private:
  std::vector<Setting> list_;
};

/// The candidate with the smallest edit distance to `word` (insertions, deletions, changes, swaps of neighbours); the
/// first of several. Throws Error when there are none.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace deft::support
