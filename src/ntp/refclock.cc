#include "ntp/refclock.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace timepool::ntp {
namespace {

// The first poll takes four seconds: at a reading a second that is the least that makes a sample.
constexpr std::int8_t kFirstPoll = 2;
// A reading may seem to be of the future by the error of mapping one clock to the other.
constexpr Duration kFutureTolerance = Duration::milliseconds(10);
// The least age at which a reading is too old: drivers that look rarely see old ones.
constexpr Duration kLeastStale = Duration::seconds(4);

// log2 seconds: timestamps are whole nanoseconds. The precision that is configured is a bound, not
// a noise: what the readings scatter by is measured.
constexpr std::int8_t kResolution = -30;

std::int8_t log2_of(Duration precision) {
  const double seconds = std::max(precision.to_seconds(), 1e-9);
  return static_cast<std::int8_t>(std::clamp(std::ceil(std::log2(seconds)), -30.0, 0.0));
}

}  // namespace

bool within_limits(const RefclockConfig& config) {
  const auto positive = [](Duration span) { return span >= Duration(); };
  return !config.name.empty() && config.stratum < wire::ntp::kMaxStratum - 1 &&
         config.poll >= kLowestRefclockPoll && config.poll <= kHighestRefclockPoll &&
         config.filter_length >= 1 && config.filter_length <= kMaxRefclockFilter &&
         config.rate >= 1 && config.rate <= kMaxPulseRate && positive(config.delay) &&
         config.precision > Duration() && positive(config.max_dispersion) &&
         config.min_samples >= 1 && config.min_samples <= config.max_samples &&
         config.max_samples <= kMaxSamples;
}

Refclock::Refclock(const RefclockConfig& config, const ExchangeConfig& clock, MonoTime now)
    : config_(config),
      filter_(config.filter_length),
      samples_({clock.clock_error_ppb, clock.max_clock_error_ppb, kResolution, config.max_samples,
                config.min_samples}),
      poll_(std::min(kFirstPoll, config.poll)) {
  CHECK(within_limits(config));
  poll_end_ = now + exp2_seconds(poll_);
}

RefclockReason Refclock::count_reason(RefclockReason reason) {
  ++counts_[static_cast<std::size_t>(reason)];
  last_reason_ = reason;
  return reason;
}

RefclockReason Refclock::handle_look(RefclockReason reason, const RefclockReading& reading,
                                     LocalTime now, const RefclockContext& context) {
  if (reason != RefclockReason::kAccepted) {
    ++counts_[static_cast<std::size_t>(reason)];
    // That there is nothing new says nothing: what came before stays the last word.
    if (reason != RefclockReason::kNothingNew) last_reason_ = reason;
    return reason;
  }
  Duration offset;
  const RefclockReason judged = judge(reading, now, context, offset);
  if (judged == RefclockReason::kAccepted) {
    last_reading_ = reading.local;
    filter_.add({reading.local, offset, reading.dispersion + config_.precision, reading.leap});
  }
  return count_reason(judged);
}

RefclockReason Refclock::judge(const RefclockReading& reading, LocalTime now,
                               const RefclockContext& context, Duration& offset) const {
  if (reading.leap == wire::ntp::Leap::kUnsynchronised) return RefclockReason::kUnsynchronised;
  const Duration age = now.raw - reading.local;
  const Duration stale = std::max(exp2_seconds(config_.poll + 1), kLeastStale);
  if (age < -kFutureTolerance) return RefclockReason::kFuture;
  if (age > stale) return RefclockReason::kStale;
  if (last_reading_ && reading.local <= *last_reading_) return RefclockReason::kDuplicate;
  if (reading.pulse || config_.pulses) {
    if (!context.pulse) return RefclockReason::kNoSecond;
    // A pulse that comes `offset` late began its second that much earlier.
    const PulseAlignment aligned =
        align_pulse(reading.local - config_.offset, config_.rate, *context.pulse);
    offset = aligned.offset;
    return aligned.reason;
  }
  offset = reading.offset + config_.offset;
  if (config_.tai) {
    if (!context.tai_offset) return RefclockReason::kNoTaiOffset;
    offset -= *context.tai_offset;
  }
  return offset.abs() > kMaxRefclockOffset ? RefclockReason::kTooLarge : RefclockReason::kAccepted;
}

bool Refclock::handle_timer(LocalTime now) {
  if (now.mono < poll_end_) return false;
  const std::optional<RefclockMean> mean = filter_.mean();
  const bool scattered =
      mean && config_.max_dispersion > Duration() && mean->scatter > config_.max_dispersion;
  const bool good = mean && !scattered;
  ++polls_;
  reach_ = static_cast<std::uint8_t>(reach_ << 1 | (good ? 1 : 0));
  if (scattered) static_cast<void>(count_reason(RefclockReason::kTooDispersed));
  if (mean) filter_.clear();
  if (good) {
    const Sample sample = sample_of(*mean, now);
    if (saved_.empty()) {
      samples_.add(sample);
    } else {
      samples_.resume(std::exchange(saved_, {}), sample);
    }
    last_mean_ = mean;
    ++sample_count_;
    adapt_poll(mean->used + mean->left_out);
  }
  plan_poll(now.mono);
  return good;
}

void Refclock::adapt_poll(std::size_t readings) {
  score_ += samples_.poll_score(poll_);
  const bool longer = score_ >= 1 && poll_ < config_.poll;
  // Half of the readings must be enough for a sample.
  const bool shorter =
      score_ <= -1 && poll_ > kLowestRefclockPoll && readings >= 2 * filter_.least();
  if (longer) ++poll_;
  if (shorter) --poll_;
  if (std::abs(score_) >= 1) score_ = 0;
}

void Refclock::plan_poll(MonoTime now) {
  const Duration interval = exp2_seconds(poll_);
  poll_end_ = poll_end_ + interval;
  // After a long sleep of the program: one poll, not all those that were slept through.
  if (poll_end_ <= now) poll_end_ = now + interval;
}

Sample Refclock::sample_of(const RefclockMean& mean, LocalTime now) const {
  Sample out;
  out.at = {now.mono - (now.raw - mean.point.at), mean.point.at};
  out.offset = mean.point.offset;
  out.delay = config_.delay;
  out.dispersion = mean.point.dispersion;
  out.leap = mean.point.leap;
  out.version = wire::ntp::kMaxVersion;
  out.stratum = config_.stratum;
  out.poll = poll_;
  out.precision = log2_of(config_.precision);
  out.reference_id = config_.reference_id;
  return out;
}

void Refclock::resume(std::vector<Sample> saved) {
  CHECK(samples_.empty() && saved.size() <= kMaxSamples);
  saved_ = std::move(saved);
}

std::vector<Sample> Refclock::window() const {
  return samples_.empty() ? saved_ : samples_of(samples_);
}

void Refclock::handle_time_lost(MonoTime now) {
  filter_.clear();
  samples_.clear();
  saved_.clear();
  last_reading_.reset();
  lost_at_ = polls_;
  poll_ = std::min(kFirstPoll, config_.poll);
  score_ = 0;
  poll_end_ = now + exp2_seconds(poll_);
}

const RefclockPoint& Refclock::newest_reading() const {
  CHECK(last_reason_ == RefclockReason::kAccepted);
  return filter_.newest();
}

std::optional<PulseReference> Refclock::rough_time() const {
  const std::optional<RefclockMean> mean = filter_.mean();
  if (!mean) return std::nullopt;
  return PulseReference{mean->point.offset,
                        config_.delay / 2 + mean->point.dispersion + mean->scatter};
}

}  // namespace timepool::ntp
