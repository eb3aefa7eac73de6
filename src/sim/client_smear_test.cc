// A client that is led over a leap second in each way, and what a server that smears makes of its
// clock (ntp/leap_smear.h).
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "ntp/leap_smear.h"
#include "sim/client_actor.h"
#include "sim/server_actor.h"

namespace timepool::sim {
namespace {

const UnixTime kLeap = parse_utc("2027-01-01T00:00:00Z").value();
constexpr Duration kWindow = Duration::seconds(86'400);

ClientConfig client_config(ntp::LeapMode mode) {
  ClientConfig out;
  out.clock.offset = Duration::milliseconds(20);
  out.clock.frequency_ppm = 15;
  out.steer = true;
  out.leap.mode = mode;
  out.leap.file = 1;
  return out;
}

class SmearedLeap : public testing::TestWithParam<ntp::LeapMode> {
 protected:
  SmearedLeap()
      : network_(world_), client_(world_, network_, dns_, keys_, client_config(GetParam())) {
    world_.set_leap({kLeap, 1});
    for (std::uint32_t i = 1; i <= 3; ++i) {
      ServerConfig server;
      server.name = std::string(1, static_cast<char>('a' + i));
      server.address = IpAddress::v4(0xc0000200 + i);
      server.link.delay = Duration::milliseconds(2);
      servers_.push_back(std::make_unique<ServerActor>(world_, network_, server));
      ntp::SourceConfig source;
      source.name = format(server.address);
      source.poll = {4, 4, true};
      client_.add(source);
    }
    client_.watch([this] { refresh(); });
  }
  // As the main loop does whenever the client half changed something.
  void refresh() {
    const ntp::ClockReading now = client_.local_now();
    const ntp::LeapKeeper& leap = client_.keeper().leap();
    ntp::LeapKnowledge known;
    if (leap.table()) known.table = &*leap.table();
    known.applied = leap.applied();
    known.backlog = client_.keeper().leap_backlog(now.mono);
    shift_ = smear_.shift(now, known);
  }
  // A worker's answer now, less what is right.
  Duration error() {
    const ntp::ClockReading now = client_.local_now();
    if (shift_.may_step()) worker_.look(shift_, now.system, now.mono);
    const UnixTime line = world_.now();
    const double share = (line - (kLeap - kWindow / 2)).to_seconds() / (kWindow.to_seconds() + 1);
    return worker_.sent(shift_, now.system) - (line - Duration::from_seconds(share));
  }
  void sample_each(Duration pause, UnixTime until) {
    if (world_.now() > until) return;
    worst_ = std::max(worst_, error().abs());
    ++samples_;
    world_.after(pause, [this, pause, until] { sample_each(pause, until); });
  }

  World world_{7, kLeap - Duration::seconds(1800)};
  Network network_;
  FakeDns dns_;
  KeyHosts keys_{world_, network_};
  ClientActor client_;
  std::vector<std::unique_ptr<ServerActor>> servers_;
  ntp::LeapSmear smear_{ntp::LeapSmearConfig{}};
  ntp::ServedShift shift_;
  ntp::ServedTime worker_;
  Duration worst_;
  int samples_ = 0;
};

TEST_P(SmearedLeap, is_served_evenly_however_it_gets_into_the_clock) {
  client_.start();
  world_.at(kLeap - Duration::seconds(60),
            [this] { sample_each(Duration::milliseconds(7), kLeap + Duration::seconds(120)); });
  world_.run_until(kLeap + Duration::seconds(600));
  RecordProperty("worst_ns", std::to_string(worst_.ns()));
  EXPECT_GT(samples_, 25'000);
  EXPECT_LE(worst_, Duration::milliseconds(1)) << "the clock itself is as good as that";
  EXPECT_EQ(client_.keeper().leap().applied(), (ntp::LeapSecond{kLeap, 1}));
}

INSTANTIATE_TEST_SUITE_P(Modes, SmearedLeap,
                         testing::Values(ntp::LeapMode::kKernel, ntp::LeapMode::kStep,
                                         ntp::LeapMode::kSlew),
                         [](const auto& param) { return std::string(ntp::name_of(param.param)); });

}  // namespace
}  // namespace timepool::sim
