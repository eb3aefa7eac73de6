// A script of broadcasts of many servers, answers or none to what they are asked, timers, commands
// and clock steps: no crash, never more servers than there is room for, none from elsewhere or
// without proof, and deadlines that do not stand still.
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "ntp/broadcast_test_support.h"
#include "ntp/source_set.h"

namespace {

using namespace timepool;

constexpr std::size_t kRoom = 3;
constexpr const char* kName = "broadcast%eth0";

class Script {
 public:
  explicit Script(std::span<const std::uint8_t> data)
      : reader_(std::as_bytes(data)),
        set_(ntp::SourceSetConfig{}, [](const ntp::Source&, const IpAddress&) {
          return std::make_unique<ntp::TestProof>();
        }) {
    way_ = (reader_.u8() & 1) != 0 ? Duration::milliseconds(2) : Duration();
    listen();
  }

  void run() {
    while (reader_.ok() && reader_.remaining() > 0) step();
  }

 private:
  void listen() {
    ntp::SourceConfig config;
    config.kind = ntp::SourceKind::kBroadcast;
    config.name = kName;
    config.authenticated = true;
    config.broadcast = {{Prefix(IpAddress::v4(0xc0000200), 24)}, way_};
    config.max_addresses = kRoom;
    config.poll = {10, 10, true};
    const auto added = set_.add(config, now_.mono);
    CHECK(added.ok());
    source_ = *added;
  }

  void step() {
    out_.clear();
    switch (reader_.u8() % 8) {
      case 0:
        wait();
        break;
      case 1:
      case 2:
        broadcast();
        break;
      case 3:
        answer();
        break;
      case 4:
        rubbish();
        break;
      case 5:
        set_.set_online(ntp::SourceMatch(kName), (reader_.u8() & 1) != 0, now_.mono);
        break;
      case 6:
        disturb(reader_.u8());
        break;
      default:
        CHECK(set_.remove(source_, now_.mono).ok());
        listen();
    }
    for (const ntp::SendAction& send : out_.sends) last_ = send;
    check();
  }

  void check() {
    std::size_t members = 0;
    for (const ntp::SourceReport& report : set_.reports(now_.mono)) {
      if (report.association == 0) continue;
      ++members;
      CHECK(report.authenticated);
      CHECK(Prefix(IpAddress::v4(0xc0000200), 24).contains(report.server->address));
      static_cast<void>(set_.prospects(report, now_.mono));
    }
    CHECK(members <= kRoom);
    CHECK(set_.tracking(now_.mono).uncertainty >= Duration());
  }

  void advance(Duration by) {
    now_.mono = now_.mono + by;
    now_.raw = now_.raw + by;
  }

  // To the next deadline and past it; a few calls must be enough to get beyond it.
  void wait() {
    const MonoTime next = set_.next_deadline();
    const Duration idle = Duration::seconds(reader_.u8());
    advance(next == MonoTime::max() ? idle : std::max(next - now_.mono, Duration()));
    for (int i = 0; i < 20 && set_.next_deadline() <= now_.mono; ++i) {
      set_.handle_timer(now_, random_, out_);
      if (!out_.sends.empty()) last_ = out_.sends.back();
      if (set_.next_deadline() <= now_.mono) out_.clear();
    }
    CHECK(set_.next_deadline() > now_.mono);
    if (way_ > Duration()) CHECK(out_.sends.empty());
  }

  // Of one of eight servers within the prefix, or one outside, at one of two ports.
  void broadcast() {
    const unsigned who = reader_.u8();
    const unsigned how = reader_.u8();
    const std::uint32_t network = (who & 8) == 0 ? 0xc0000200 : 0xc6336400;
    const Endpoint from{IpAddress::v4(network + 1 + (who & 7)),
                        static_cast<std::uint16_t>((who & 16) == 0 ? 123 : 4123), 0};
    server_.poll = static_cast<std::int8_t>(how & 15);
    server_.stratum = (how & 16) == 0 ? 2 : 0;
    server_.proof = ntp::TestProof((how & 32) == 0 ? 1 : 2);
    server_.ahead = Duration::milliseconds((how & 64) == 0 ? 0 : 700);
    advance(Duration::milliseconds(reader_.u8() * 250));
    const bool again = (how & 128) != 0 && !packet_.empty();
    if (!again) packet_ = server_.broadcast(now_.raw);
    const ntp::ReplyReason reason =
        set_.handle_broadcast(source_, from, {now_, now_.raw}, packet_, random_, out_);
    if (ntp::is_answer(reason)) CHECK((who & 8) == 0 && (again || (how & 32) == 0));
  }

  void answer() {
    if (last_.length == 0) return;
    server_.proof = ntp::TestProof(1);
    server_.stratum = 2;
    server_.ahead = Duration::milliseconds(reader_.u8());
    const auto bytes = server_.answer(last_.bytes(), now_.raw);
    advance(Duration::milliseconds(reader_.u8() & 7));
    set_.handle_datagram(last_.association, {now_, now_.raw}, bytes, random_, out_);
  }

  void rubbish() {
    std::vector<std::byte> bytes(reader_.u8());
    reader_.copy(bytes);
    const Endpoint from{IpAddress::v4(0xc0000201), 123, 0};
    const ntp::ReplyReason reason =
        set_.handle_broadcast(source_, from, {now_, now_.raw}, bytes, random_, out_);
    CHECK(!ntp::is_answer(reason));
  }

  void disturb(unsigned what) {
    if (what < 64) {
      set_.handle_clock_step();
    } else if (what < 128) {
      set_.handle_time_lost(now_.mono);
    } else if (what < 192) {
      set_.handle_network_change(now_.mono);
    } else {
      set_.handle_send_failure(last_.association, now_.mono);
    }
  }

  ByteReader reader_;
  ntp::LocalTime now_{MonoTime::from_ns(1'000'000'000), UnixTime::from_seconds(1'790'000'000)};
  ntp::RandomStream random_{SiphashKey{1, 2}};
  ntp::SourceSet set_;
  ntp::SourceId source_ = 0;
  Duration way_;
  ntp::TestBroadcaster server_;
  ntp::TestBroadcaster::Octets packet_;
  ntp::Outbox out_;
  ntp::SendAction last_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Some hundred steps are enough for anything to happen.
  if (size > 2000) return 0;
  Script(std::span(data, size)).run();
  return 0;
}
