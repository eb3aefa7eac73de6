#include "cli/step_log.h"

#include <fmt/core.h>

#include "cli/print.h"

namespace timepool::cli {

std::string text_of(const Step& step) {
  std::vector<std::string> lines = step.lines;
  if (!step.ok()) lines.insert(lines.begin(), "FAILED: " + step.failure);
  if (lines.empty()) lines.emplace_back();
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    out += fmt::format("{:<8} {}", i == 0 ? step.name : "", lines[i]);
    if (i == 0 && step.took > Duration()) {
      out += fmt::format(" ({})", seconds_text(step.took.to_seconds(), false));
    }
    if (i + 1 < lines.size()) out += "\n";
  }
  return out;
}

bool StepLog::add(const Step& step) {
  if (!step.ok() && ok()) {
    failed_step_ = step.name;
    failure_ = step.failure;
  }
  if (!as_json_) {
    print(text_of(step));
    return step.ok();
  }
  boost::json::object entry{
      {"step", step.name}, {"ok", step.ok()}, {"seconds", step.took.to_seconds()}};
  if (!step.ok()) entry["error"] = step.failure;
  for (const auto& [key, value] : step.facts) entry[key] = value;
  steps_.push_back(std::move(entry));
  return step.ok();
}

void StepLog::begin_another() {
  failed_step_.clear();
  failure_.clear();
}

boost::json::object StepLog::json() const {
  boost::json::object out{{"ok", ok()}};
  if (!ok()) {
    out["failed_step"] = failed_step_;
    out["error"] = failure_;
  }
  out["steps"] = steps_;
  return out;
}

}  // namespace timepool::cli
