// What every command shares in how it speaks: errors to standard error with what to do, reports to
// standard output, tables with aligned columns, numbers with units.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/result.h"

namespace timepool::cli {

inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

// "timepool: TEXT" on standard error; returns kFailed.
int failed(const Error& error);
int failed(const std::string& text);
// One line of JSON on standard output.
void print_json(const boost::json::value& value);
void print(const std::string& text);

// The numbers of an object, a line each, those of the objects inside it further in.
void print_counts(const boost::json::object& counts, const std::string& indent);

// Rows under a heading; columns as wide as their widest text, numbers (as they look) to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> heading) { rows_.push_back(std::move(heading)); }
  void row(std::vector<std::string> cells);
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Three significant digits with the unit that fits, chronyc's habit: "+12.3us", "4.56ms", "1.20s".
std::string seconds_text(double seconds, bool with_sign);

}  // namespace timepool::cli
