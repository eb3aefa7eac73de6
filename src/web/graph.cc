#include "web/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace timepool::web {
namespace {

constexpr double kWidth = 860;
constexpr double kLeft = 56;
constexpr double kRight = 12;
constexpr double kScoreTop = 24;
constexpr double kScoreHeight = 150;
constexpr double kOffsetTop = 214;
constexpr double kOffsetHeight = 120;
constexpr double kHeight = 366;

// A straight line from a range of values to a range of pixels.
struct Scale {
  double from;
  double to;
  double pixel_from;
  double pixel_to;

  double at(double value) const {
    const double clamped = std::clamp(value, std::min(from, to), std::max(from, to));
    return pixel_from + (clamped - from) / (to - from) * (pixel_to - pixel_from);
  }
};

double seconds_of(UnixTime time) {
  return static_cast<double>(time.ns()) * 1e-9;
}

Scale time_scale(const std::vector<store::ScoreEntry>& entries) {
  const double first = seconds_of(entries.front().time);
  const double last = seconds_of(entries.back().time);
  return {first, std::max(last, first + 1), kLeft, kWidth - kRight};
}

Scale score_scale(const std::vector<store::ScoreEntry>& entries) {
  double low = -5;
  for (const store::ScoreEntry& entry : entries) low = std::min(low, entry.score);
  low = std::floor(low / 10) * 10;
  return {20, std::max(low, -100.0), kScoreTop, kScoreTop + kScoreHeight};
}

// From the largest offset up to a round number, at least one millisecond.
double offset_limit(const std::vector<store::ScoreEntry>& entries) {
  double largest = 0;
  for (const store::ScoreEntry& entry : entries) {
    if (entry.offset_s) largest = std::max(largest, std::fabs(*entry.offset_s));
  }
  double limit = 0.001;
  for (int i = 0; limit < largest && limit < 10; ++i) limit *= i % 3 == 1 ? 2.5 : 2;
  return limit;
}

std::string seconds_text(double seconds) {
  if (std::fabs(seconds) < 0.9995) return fmt::format("{:g} ms", seconds * 1000);
  return fmt::format("{:g} s", seconds);
}

void line(std::string& out, double y, const char* kind, const std::string& label) {
  out += fmt::format(
      "<line class=\"{}\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
      "<text class=\"axis end\" x=\"{}\" y=\"{:.1f}\">{}</text>",
      kind, kLeft, kWidth - kRight, y, y, kLeft - 6, y + 4, label);
}

void caption(std::string& out, double y, const char* text) {
  out += fmt::format("<text class=\"caption\" x=\"{}\" y=\"{}\">{}</text>", kLeft, y, text);
}

void time_axis(std::string& out, const std::vector<store::ScoreEntry>& entries) {
  const auto label = [&](double x, const char* side, UnixTime time) {
    out += fmt::format("<text class=\"axis {}\" x=\"{}\" y=\"{}\">{}</text>", side, x, kHeight - 8,
                       format_utc(time, 0));
  };
  label(kLeft, "start", entries.front().time);
  label(kWidth - kRight, "end", entries.back().time);
}

void score_panel(std::string& out, const std::vector<store::ScoreEntry>& entries, const Scale& x,
                 double min_score) {
  const Scale y = score_scale(entries);
  caption(out, kScoreTop - 10, "Score");
  line(out, y.at(20), "grid", "20");
  line(out, y.at(min_score), "border", fmt::format("{:g}", min_score));
  line(out, y.at(0), "grid", "0");
  line(out, y.at(y.to), "grid", fmt::format("{:g}", y.to));
  std::string points;
  for (const store::ScoreEntry& entry : entries) {
    if (entry.monitor_id) {
      out += fmt::format("<circle class=\"check\" r=\"1.5\" cx=\"{:.1f}\" cy=\"{:.1f}\"/>",
                         x.at(seconds_of(entry.time)), y.at(entry.score));
    } else {
      points += fmt::format("{:.1f},{:.1f} ", x.at(seconds_of(entry.time)), y.at(entry.score));
    }
  }
  out += "<polyline class=\"score\" points=\"" + points + "\"/>";
}

void offset_panel(std::string& out, const std::vector<store::ScoreEntry>& entries, const Scale& x) {
  const double limit = offset_limit(entries);
  const Scale y{limit, -limit, kOffsetTop, kOffsetTop + kOffsetHeight};
  caption(out, kOffsetTop - 10, "Offset of each check; a cross is a check without an answer");
  line(out, y.at(limit), "grid", seconds_text(limit));
  line(out, y.at(0), "grid", "0");
  line(out, y.at(-limit), "grid", seconds_text(-limit));
  for (const store::ScoreEntry& entry : entries) {
    if (!entry.monitor_id) continue;
    const double at = x.at(seconds_of(entry.time));
    if (entry.offset_s) {
      out += fmt::format("<circle class=\"offset {}\" r=\"2\" cx=\"{:.1f}\" cy=\"{:.1f}\"/>",
                         entry.step > 0 ? "good" : "bad", at, y.at(*entry.offset_s));
    } else {
      const double low = y.at(-limit);
      out += fmt::format("<path class=\"lost\" d=\"M{:.1f} {:.1f}l5 5m0-5l-5 5\"/>", at - 2.5,
                         low - 7);
    }
  }
}

}  // namespace

std::string history_graph(const std::vector<store::ScoreEntry>& entries, double min_score) {
  if (entries.size() < 2) return "<p>There are not enough checks yet for a graph.</p>";
  std::string out = fmt::format(
      "<svg class=\"graph\" viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-label=\"Score and offset over time; the same numbers are in the table below\">",
      kWidth, kHeight);
  const Scale x = time_scale(entries);
  score_panel(out, entries, x, min_score);
  offset_panel(out, entries, x);
  time_axis(out, entries);
  return out + "</svg>";
}

}  // namespace timepool::web
