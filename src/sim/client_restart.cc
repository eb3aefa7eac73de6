// The ClientActor's program ends and starts anew: what it remembers is what the daemon keeps on
// disk, the frequency and the samples.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sim/client_actor.h"

namespace timepool::sim {
namespace {

// Any but zeros: the machine runs on.
constexpr ntp::BootId kBoot{std::byte{1}};
// As ntpd's.
constexpr double kLeastFrequencyError = 1e-6;

}  // namespace

void ClientActor::plan_restarts() {
  // The actors of reference clocks know their members by id.
  CHECK(config_.upsets.restarts.empty() || refclocks_.empty());
  for (const Restart& restart : config_.upsets.restarts) {
    world_.after(restart.at - restart.saved_before, [this] { save_samples(); });
    world_.after(restart.at, [this, restart] { stop(restart); });
  }
}

ntp::OscillatorReading ClientActor::oscillator() {
  const ntp::ClockReading now = local_now();
  return {kBoot, clock_.oscillator(world_.now()), now.mono, now.suspended};
}

void ClientActor::save_samples() {
  if (!config_.upsets.save_samples) return;
  saved_samples_ = ntp::format_samples(keeper_->save_samples(oscillator()));
}

bool ClientActor::disk_fails() const {
  return std::any_of(config_.disk_fails.begin(), config_.disk_fails.end(),
                     [&](const Window& it) { return it.contains(world_.elapsed()); });
}

bool ClientActor::write(const nts::SavedSessions& saved) {
  if (disk_fails()) return false;
  saved_sessions_ = nts::format_sessions(saved);
  return true;
}

bool ClientActor::remove() {
  if (disk_fails()) return false;
  saved_sessions_.clear();
  return true;
}

void ClientActor::stop(const Restart& restart) {
  const ntp::Discipline& discipline = keeper_->discipline();
  if (discipline.has_frequency()) {
    saved_frequency_ = discipline.base_rate();
    saved_frequency_sd_ = std::max(
        discipline.estimate() ? discipline.estimate()->frequency_sd : 0.0, kLeastFrequencyError);
  }
  if (restart.saved_before == Duration()) {
    ntp::Outbox out;
    keeper_->release(out);
  }
  std::vector<ntp::SourceConfig> sources;
  for (const ntp::Source& source : keeper_->sources().sources()) {
    sources.push_back(source.config());
  }
  // With a crash the file is as it was.
  const ntp::ClockReading now = local_now();
  if (restart.saved_before == Duration()) {
    saver_.end(keeper_->sources(), *this, now.mono, now.system);
  }
  saver_ = {};
  asleep_ = true;
  sockets_.clear();
  world_.after(restart.pause, [this, sources] { start_anew(sources); });
}

void ClientActor::start_anew(const std::vector<ntp::SourceConfig>& sources) {
  ntp::TimekeeperConfig config = keeper_config(config_);
  config.discipline.rules.first_start = false;
  if (saved_frequency_) {
    config.frequency = saved_frequency_;
    config.frequency_sd = saved_frequency_sd_;
  }
  begin(config);
  keeper_->leap().set_table(leap_table(config_.leap, world_));
  if (!saved_sessions_.empty()) {
    auto saved = nts::parse_sessions(saved_sessions_);
    CHECK(saved.ok());
    const ntp::ClockReading now = local_now();
    keeper_->sources().set_sessions(std::move(saved).value(), now.mono, now.system);
  }
  for (const ntp::SourceConfig& source : sources) add(source);
  if (!saved_samples_.empty()) {
    auto saved = ntp::parse_samples(saved_samples_);
    CHECK(saved.ok());
    const auto used = keeper_->resume(std::move(saved).value(), oscillator());
    world_.trace().add(world_.now(), "resume", used.ok() ? 1 : 0);
  }
  asleep_ = false;
  ++restarts_;
  settle();
}

}  // namespace timepool::sim
