// Looks for liars who move the offset out of the bound: the input says who is honest, by how much
// each errs within its interval, who is silent and remembered, and anything at all about the liars,
// who are less than half. Whatever they say, the offset stays within an honest interval and the
// truth within the region.
#include <algorithm>
#include <vector>

#include "base/byte_reader.h"
#include "base/check.h"
#include "ntp/selection.h"

namespace {

using namespace timepool;

// Distances are whole microseconds and halves of them don't round away.
constexpr Duration kRounding = Duration::nanoseconds(10);

struct House {
  Duration truth;
  std::size_t honest = 0;
  std::vector<ntp::Candidate> all;
  std::vector<bool> silent;
};

void read_common(ByteReader& in, ntp::Candidate& out) {
  const std::uint8_t bits = in.u8();
  out.stratum = bits & 15;
  out.was_selected = (bits & 16) != 0;
  out.updated = (bits & 32) != 0;
  out.options.prefer = (bits & 64) != 0;
  out.score = 1 + in.u8() / 4.0;
}

ntp::Candidate read_honest(ByteReader& in, Duration truth) {
  ntp::Candidate out;
  out.distance = Duration::microseconds(1 + in.u16());
  const auto share = static_cast<std::int8_t>(in.u8());
  out.offset = truth + out.distance * std::max<int>(share, -127) / 127;
  read_common(in, out);
  return out;
}

ntp::Candidate read_liar(ByteReader& in) {
  ntp::Candidate out;
  const std::uint8_t how = in.u8();
  out.offset = Duration::nanoseconds(static_cast<std::int64_t>(in.u64())) / (1 << (how & 31));
  out.distance = Duration::nanoseconds(1 + in.u32()) * ((how & 32) != 0 ? 1000 : 1);
  read_common(in, out);
  return out;
}

House read_house(ByteReader& in) {
  House out;
  const std::size_t n = 1 + in.u8() % 16;
  const std::size_t liars = in.u8() % ((n - 1) / 2 + 1);
  out.truth = Duration::microseconds(static_cast<std::int32_t>(in.u32()));
  out.honest = n - liars;
  // The truth says as well who is silent: seeds keep their form.
  const auto bits = static_cast<std::uint64_t>(out.truth.ns() / 1000);
  for (std::size_t i = 0; i < n; ++i) out.silent.push_back(((bits >> i) & 1) != 0);
  for (std::size_t i = 0; i < out.honest; ++i) out.all.push_back(read_honest(in, out.truth));
  for (std::size_t i = 0; i < liars; ++i) out.all.push_back(read_liar(in));
  return out;
}

bool within_honest(const House& house, Duration value) {
  return std::any_of(house.all.begin(),
                     house.all.begin() + static_cast<std::ptrdiff_t>(house.honest),
                     [&](const ntp::Candidate& it) {
                       return (value - it.offset).abs() <= it.distance + kRounding;
                     });
}

void check(const House& house, bool trusted) {
  ntp::SelectionConfig config;
  config.max_distance = Duration::max();
  const ntp::Selection got = ntp::select(house.all, {}, config);
  const bool all_speak = std::none_of(house.all.begin(), house.all.end(),
                                      [](const ntp::Candidate& it) { return it.remembered; });
  CHECK(got.found() || !all_speak);
  if (!got.found()) return;
  CHECK(!house.all[got.selected].remembered);
  CHECK(within_honest(house, got.offset));
  CHECK(got.region.low <= house.truth + kRounding && house.truth - kRounding <= got.region.high);
  CHECK((got.offset - house.truth).abs() <= got.uncertainty + kRounding);
  const bool survived = std::any_of(got.causes.begin(), got.causes.begin() + house.honest,
                                    [](ntp::Cause cause) { return ntp::is_survivor(cause); });
  CHECK(survived || trusted || !all_speak);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader in(std::as_bytes(std::span(data, size)));
  House house = read_house(in);
  if (!in.ok()) return 0;
  check(house, false);
  // The same as a trusted jury among a crowd of liars who may be any number.
  for (ntp::Candidate& it : house.all) it.options.trust = true;
  while (in.remaining() >= 15 && house.all.size() < ntp::kMaxCandidates) {
    house.all.push_back(read_liar(in));
  }
  check(house, true);
  // And with any of them silent.
  for (std::size_t i = 0; i < house.all.size(); ++i) {
    ntp::Candidate& it = house.all[i];
    it.options.trust = false;
    it.remembered = i < house.silent.size() && house.silent[i];
    it.reachable = it.measured = !it.remembered;
  }
  house.all.resize(house.silent.size());
  check(house, false);
  return 0;
}
