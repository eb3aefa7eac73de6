#include "cli/print.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdio>

namespace timepool::cli {
namespace {

bool looks_numeric(const std::string& cell) {
  if (cell.empty()) return false;
  const std::size_t first = cell[0] == '+' || cell[0] == '-' ? 1 : 0;
  return first < cell.size() && cell[first] >= '0' && cell[first] <= '9' &&
         cell.find(':') == std::string::npos && std::ranges::count(cell, '.') <= 1;
}

}  // namespace

int failed(const std::string& text) {
  std::fputs(("timepool: " + text + "\n").c_str(), stderr);
  return kFailed;
}

int failed(const Error& error) {
  return failed(error.text());
}

void print_json(const boost::json::value& value) {
  print(boost::json::serialize(value));
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

void print_counts(const boost::json::object& counts, const std::string& indent) {
  for (const boost::json::key_value_pair& pair : counts) {
    const std::string key(pair.key());
    if (pair.value().is_object()) {
      print(indent + key);
      print_counts(pair.value().get_object(), indent + "  ");
    } else if (pair.value().is_number()) {
      print(fmt::format("{}{:<24} {:.0f}", indent, key, pair.value().to_number<double>()));
    }
  }
}

void Table::row(std::vector<std::string> cells) {
  cells.resize(rows_.front().size());
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  const std::size_t columns = rows_.front().size();
  std::vector<std::size_t> widths(columns, 0);
  std::vector<bool> right(columns, rows_.size() > 1);
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      widths[c] = std::max(widths[c], rows_[r][c].size());
      if (r > 0 && !rows_[r][c].empty() && rows_[r][c] != "-" && !looks_numeric(rows_[r][c])) {
        right[c] = false;
      }
    }
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t c = 0; c < columns; ++c) {
      line += right[c] ? fmt::format("{:>{}}  ", row[c], widths[c])
                       : fmt::format("{:<{}}  ", row[c], widths[c]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  if (!out.empty()) out.pop_back();
  return out;
}

std::string seconds_text(double seconds, bool with_sign) {
  struct Unit {
    double scale;
    const char* name;
  };
  static constexpr std::array<Unit, 4> kUnits = {
      {{1e-9, "ns"}, {1e-6, "us"}, {1e-3, "ms"}, {1, "s"}}};
  const double size = std::fabs(seconds);
  const auto* unit = kUnits.begin();
  while (unit + 1 != kUnits.end() && size >= (unit + 1)->scale * 0.9995) ++unit;
  const double shown = size / unit->scale;
  const int digits = shown >= 99.95 ? 0 : shown >= 9.995 ? 1 : 2;
  const char* sign = seconds < 0 ? "-" : with_sign ? "+" : "";
  return fmt::format("{}{:.{}f}{}", sign, shown, unit->scale <= 1e-9 ? 0 : digits, unit->name);
}

}  // namespace timepool::cli
