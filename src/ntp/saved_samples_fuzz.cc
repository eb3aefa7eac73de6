// Any bytes as a file of saved samples: a fault with a name, or windows that are written and read
// again as the same bytes, and that the estimator takes.
#include <cstdint>

#include <algorithm>

#include "base/check.h"
#include "ntp/saved_samples.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  auto parsed = ntp::parse_samples(std::as_bytes(std::span(data, size)));
  if (!parsed.ok()) {
    CHECK(!name_of(parsed.error()).empty());
    return 0;
  }
  const std::vector<std::byte> again = format_samples(*parsed);
  CHECK(std::ranges::equal(again, std::as_bytes(std::span(data, size))));
  ntp::RunMoment now = parsed->at;
  now.oscillator = now.oscillator + Duration::seconds(10);
  now.raw = now.raw + Duration::seconds(10);
  now.system = now.system + Duration::seconds(10);
  if (!carry_over(*parsed, now, MonoTime::from_ns(1)).ok()) return 0;
  CHECK(parsed->windows.size() <= ntp::kMaxWindows);
  for (const ntp::SampleWindow& window : parsed->windows) {
    CHECK(!window.samples.empty() && window.samples.size() <= ntp::kMaxSamples);
    ntp::Estimator estimator({});
    ntp::Sample next = window.samples.back();
    next.at = {MonoTime::from_ns(1), now.raw};
    estimator.resume(window.samples, next);
    CHECK(estimator.latest().at.mono == next.at.mono);
  }
  return 0;
}
