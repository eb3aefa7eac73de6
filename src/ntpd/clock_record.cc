#include "ntpd/clock_record.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace timepool::ntpd {
namespace {

constexpr Duration kInterval = Duration::seconds(3600);
// In ppm: what a day of rest and another temperature change in a crystal.
constexpr double kLeastError = 1;
constexpr const char* kFile = "clock.json";

}  // namespace

std::string state_directory(const std::string& configured) {
  if (!configured.empty()) return configured;
  // systemd.exec(5): StateDirectory=, several are separated by colons.
  const char* given = ::getenv("STATE_DIRECTORY");
  const std::string all = given == nullptr ? "" : given;
  return all.substr(0, all.find(':'));
}

std::string clock_memory_path(const std::string& directory) {
  return directory + "/" + kFile;
}

ClockRecord::ClockRecord(const std::string& directory, sys::Logger& logger) : logger_(logger) {
  if (directory.empty()) {
    logger_.warning(
        "no state_directory: the clock's frequency and its last good time are forgotten at the "
        "end");
    return;
  }
  path_ = clock_memory_path(directory);
  Result<ClockMemory> read = load_memory(path_);
  if (!read.ok()) {
    logger_.error("{}: {}", path_, read.error().text());
    return;
  }
  trusted_ = true;
  memory_ = std::move(read).value();
}

void ClockRecord::apply(ntp::TimekeeperConfig& config) const {
  if (memory_.frequency_ppm) {
    config.frequency = *memory_.frequency_ppm * 1e-6;
    config.frequency_sd = std::max(memory_.frequency_error_ppm, kLeastError) * 1e-6;
  }
  ntp::CorrectionRules& rules = config.discipline.rules;
  if (memory_.last_good) rules.last_good = *memory_.last_good;
  // B25.
  rules.first_start = trusted_ && !memory_.was_set;
}

void ClockRecord::note(const ntp::Timekeeper& keeper, MonoTime now) {
  if (keeper.discipline().first_start_used() && !memory_.was_set) {
    memory_.was_set = true;
    write();
  }
  if (saved_ == MonoTime()) saved_ = now;
  if (now - saved_ >= kInterval) save(keeper, now);
}

void ClockRecord::save(const ntp::Timekeeper& keeper, MonoTime now) {
  saved_ = now;
  const ntp::Discipline& discipline = keeper.discipline();
  const ntp::Tracking tracking = keeper.tracking(now);
  // What is not known to be right is not kept.
  if (!keeper.steers() || !discipline.estimate() || !tracking.synchronised ||
      !is_correction(discipline.verdict())) {
    return;
  }
  memory_.was_set = true;
  memory_.last_good = keeper.system_time(keeper.local_clock().local(now).raw) + tracking.offset;
  if (discipline.has_frequency()) {
    memory_.frequency_ppm = discipline.base_rate() * 1e6;
    memory_.frequency_error_ppm = discipline.estimate()->frequency_sd * 1e6;
  }
  write();
}

void ClockRecord::write() {
  if (path_.empty()) return;
  const Result<void> written = save_memory(path_, memory_);
  if (!written.ok()) logger_.warning("{}", written.error().text());
}

}  // namespace timepool::ntpd
