#include "ntp/clock_record.h"

#include <cmath>

namespace timepool::ntp {
namespace {

// Of the newest in the mean square.
constexpr double kWeight = 0.1;

}  // namespace

void ClockRecord::update(const ClockEstimate& estimate, Duration offset) {
  const double seconds = offset.to_seconds();
  const double square = seconds * seconds;
  if (estimate_) {
    interval_ = estimate.at.mono - estimate_->at.mono;
    mean_square_ += kWeight * (square - mean_square_);
  } else {
    mean_square_ = square;
  }
  last_offset_ = offset;
  estimate_ = estimate;
  ++updates_;
}

Duration ClockRecord::rms_offset() const {
  return Duration::from_seconds(std::sqrt(mean_square_));
}

}  // namespace timepool::ntp
