#include "ntp/refclock_filter.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "base/check.h"

namespace timepool::ntp {
namespace {

constexpr std::size_t kLeast = 4;
// The median of the distances of normally distributed values is 0.6745 deviations.
constexpr double kDeviationsPerMedian = 1.4826;
constexpr double kOutlierDeviations = 3.0;

// A reading relative to the first one, in seconds.
struct Place {
  double time;
  double offset;
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

double median_offset(std::span<const Place> places) {
  std::vector<double> values;
  values.reserve(places.size());
  for (const Place& place : places) values.push_back(place.offset);
  return median(std::move(values));
}

double mean_time(std::span<const Place> places) {
  double sum = 0;
  for (const Place& place : places) sum += place.time;
  return sum / static_cast<double>(places.size());
}

// Offset per second, by the medians of the two halves; zero where there are too few for that.
double slope_of(std::span<const Place> places) {
  const std::size_t half = places.size() / 2;
  if (half < kLeast) return 0;
  const std::span<const Place> early = places.first(half);
  const std::span<const Place> late = places.last(half);
  const double span = mean_time(late) - mean_time(early);
  return span > 0 ? (median_offset(late) - median_offset(early)) / span : 0;
}

// Distances from the line through the readings.
std::vector<double> residuals(std::span<const Place> places) {
  const double slope = slope_of(places);
  std::vector<double> out;
  out.reserve(places.size());
  for (const Place& place : places) out.push_back(place.offset - slope * place.time);
  const double middle = median(out);
  for (double& value : out) value -= middle;
  return out;
}

// A moment's or a span's nanoseconds, averaged relative to a base so that no digit is lost.
class Averager {
 public:
  void add(std::int64_t ns) {
    sum_ += static_cast<double>(ns);
    ++count_;
  }
  Duration mean() const {
    return Duration::nanoseconds(std::llround(sum_ / static_cast<double>(count_)));
  }

 private:
  double sum_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

RefclockFilter::RefclockFilter(std::size_t length) : length_(length) {
  CHECK(length >= 1 && length <= kMaxRefclockFilter);
  points_.reserve(length);
}

void RefclockFilter::add(const RefclockPoint& point) {
  if (points_.size() == length_) points_.erase(points_.begin());
  points_.push_back(point);
}

void RefclockFilter::clear() {
  points_.clear();
}

const RefclockPoint& RefclockFilter::newest() const {
  CHECK(!points_.empty());
  return points_.back();
}

std::size_t RefclockFilter::least() const {
  return std::min(length_, kLeast);
}

std::optional<RefclockMean> RefclockFilter::mean() const {
  if (points_.size() < least()) return std::nullopt;
  const RefclockPoint& base = points_.front();
  std::vector<Place> places;
  places.reserve(points_.size());
  for (const RefclockPoint& point : points_) {
    places.push_back(
        {(point.at - base.at).to_seconds(), (point.offset - base.offset).to_seconds()});
  }
  const std::vector<double> distances = residuals(places);
  std::vector<double> sizes;
  sizes.reserve(distances.size());
  for (const double distance : distances) sizes.push_back(std::abs(distance));
  // A nanosecond more, so that readings that all say the same are no outliers by rounding.
  const double limit = kOutlierDeviations * kDeviationsPerMedian * median(sizes) + 1e-9;

  RefclockMean out;
  Averager time;
  Averager offset;
  Averager dispersion;
  double squares = 0;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (sizes[i] > limit) continue;
    ++out.used;
    time.add((points_[i].at - base.at).ns());
    offset.add((points_[i].offset - base.offset).ns());
    dispersion.add(points_[i].dispersion.ns());
    squares += distances[i] * distances[i];
    out.point.leap = points_[i].leap;  // the newest one's
  }
  out.left_out = points_.size() - out.used;
  const auto count = static_cast<double>(out.used);
  const double scatter = out.used > 1 ? std::sqrt(squares / (count - 1)) : 0;
  out.scatter = Duration::from_seconds(scatter);
  out.point.at = base.at + time.mean();
  out.point.offset = base.offset + offset.mean();
  out.point.dispersion = dispersion.mean() + Duration::from_seconds(scatter / std::sqrt(count));
  return out;
}

}  // namespace timepool::ntp
