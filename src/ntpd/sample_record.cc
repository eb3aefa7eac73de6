#include "ntpd/sample_record.h"

#include <span>
#include <utility>

#include "ntpd/kernel_clock.h"
#include "sys/clock.h"
#include "sys/file.h"

namespace timepool::ntpd {
namespace {

constexpr Duration kInterval = Duration::seconds(900);
constexpr const char* kFile = "samples.bin";

ntp::OscillatorReading read_oscillator(const ntp::BootId& boot) {
  const sys::OscillatorSample sample = sys::sample_oscillator();
  return {boot, sample.oscillator, sample.mono, read_clocks().suspended};
}

}  // namespace

SampleRecord::SampleRecord(const std::string& directory, sys::Logger& logger)
    : path_(directory.empty() ? "" : directory + "/" + kFile),
      logger_(logger),
      boot_(sys::boot_id()) {}

void SampleRecord::load(ntp::Timekeeper& keeper) {
  if (path_.empty()) return;
  const Result<std::string> bytes = sys::read_file(path_, ntp::kMaxSavedBytes);
  if (!bytes.ok()) {
    if (bytes.error().code != ErrorCode::kNotFound) logger_.warning("{}", bytes.error().text());
    return;
  }
  auto parsed = ntp::parse_samples(std::as_bytes(std::span(*bytes)));
  if (!parsed.ok()) {
    logger_.warning("{}: {}; the sources are measured anew", path_, name_of(parsed.error()));
    return;
  }
  const std::size_t windows = parsed->windows.size();
  const auto used = keeper.resume(std::move(parsed).value(), read_oscillator(boot_));
  if (used.ok()) {
    logger_.info("going on with the samples of {} sources from {}", windows, path_);
  } else {
    logger_.info("the samples in {} are not used: {}", path_, name_of(used.error()));
  }
}

void SampleRecord::note(const ntp::Timekeeper& keeper, MonoTime now) {
  if (saved_ == MonoTime()) saved_ = now;
  if (now - saved_ >= kInterval) save(keeper, now);
}

void SampleRecord::save(const ntp::Timekeeper& keeper, MonoTime now) {
  saved_ = now;
  if (path_.empty() || !keeper.steers()) return;
  const ntp::SavedSamples samples = keeper.save_samples(read_oscillator(boot_));
  // What was saved before may serve again; nothing never does.
  if (samples.windows.empty()) return;
  const Result<void> written = sys::write_state_file(path_, format_samples(samples));
  if (!written.ok()) logger_.warning("{}", written.error().text());
}

}  // namespace timepool::ntpd
