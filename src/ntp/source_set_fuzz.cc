// A script of timer calls, look-up answers, datagrams and clock steps, as a hostile network and a
// strange machine might give them: no crash, bounded output, and deadlines that do not stand still.
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "ntp/source_set.h"

namespace {

using namespace timepool;

class Script {
 public:
  explicit Script(std::span<const std::uint8_t> data)
      : reader_(std::as_bytes(data)), set_(ntp::SourceSetConfig{}) {
    ntp::SourceConfig pool;
    pool.name = "pool.test";
    pool.kind = ntp::SourceKind::kPool;
    CHECK(set_.add(pool, now_.mono).ok());
    ntp::SourceConfig server;
    server.name = "192.0.2.1";
    CHECK(set_.add(server, now_.mono).ok());
  }

  void run() {
    while (reader_.ok() && reader_.remaining() > 0) step();
  }

 private:
  void step() {
    out_.clear();
    switch (reader_.u8() % 6) {
      case 0:
        wait();
        break;
      case 1:
        resolve();
        break;
      case 2:
        reply(true);
        break;
      case 3:
        reply(false);
        break;
      case 4:
        now_.raw = now_.raw + Duration::seconds(reader_.u8());
        set_.handle_time_lost(now_.mono);
        break;
      default:
        set_.handle_clock_step();
    }
    for (const ntp::SendAction& send : out_.sends) last_ = send;
    static_cast<void>(set_.reports(now_.mono));
    CHECK(set_.tracking(now_.mono).uncertainty >= Duration());
  }

  void advance(Duration by) {
    now_.mono = now_.mono + by;
    now_.raw = now_.raw + by;
  }

  // To the next deadline and past it; a few calls must be enough to get beyond it.
  void wait() {
    advance(std::max(set_.next_deadline() - now_.mono, Duration()) +
            Duration::milliseconds(reader_.u8()));
    for (int i = 0; i < 20 && set_.next_deadline() <= now_.mono; ++i) {
      set_.handle_timer(now_, random_, out_);
      if (out_.sends.size() > 0) last_ = out_.sends.back();
      if (set_.next_deadline() <= now_.mono) out_.clear();
    }
    CHECK(set_.next_deadline() > now_.mono);
  }

  void resolve() {
    std::vector<IpAddress> addresses;
    const unsigned count = reader_.u8() % 12;
    for (unsigned i = 0; i < count; ++i)
      addresses.push_back(IpAddress::v4(0xc0000200u + reader_.u8()));
    set_.handle_addresses(0, addresses, now_.mono);
  }

  // The origin is made right or not; the rest of the reply is the input's.
  void reply(bool right_origin) {
    std::vector<std::byte> bytes(48 + reader_.u8() % 64);
    reader_.copy(bytes);
    if (right_origin && last_.length >= 48) {
      bytes[0] = std::byte{0x24};
      std::copy_n(last_.buffer.begin() + 40, 8, bytes.begin() + 24);
      if ((reader_.u8() & 1) != 0) make_sound(bytes);
    }
    advance(Duration::milliseconds(reader_.u8()));
    const ntp::ReplyReason reason =
        set_.handle_datagram(last_.association, {now_, now_.raw}, bytes, random_, out_);
    if (!right_origin) CHECK(!ntp::is_answer(reason));
  }

  // Times near ours and a stratum, so that it may be accepted.
  void make_sound(std::vector<std::byte>& bytes) {
    wire::ntp::Header header;
    header.mode = wire::ntp::Mode::kServer;
    header.stratum = 2;
    ByteReader origin(Bytes(bytes).subspan(24, 8));
    header.origin = NtpTimestamp::from_bits(origin.u64());
    header.receive = to_ntp(now_.raw + Duration::milliseconds(reader_.u8()));
    header.transmit = header.receive;
    ByteWriter writer(bytes);
    wire::ntp::write_header(header, writer);
    bytes.resize(wire::ntp::kHeaderSize);
  }

  ByteReader reader_;
  ntp::LocalTime now_{MonoTime::from_ns(1'000'000'000), UnixTime::from_seconds(1'790'000'000)};
  ntp::RandomStream random_{SiphashKey{1, 2}};
  ntp::SourceSet set_;
  ntp::Outbox out_;
  ntp::SendAction last_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // 2000 steps are enough for anything to happen.
  if (size > 4000) return 0;
  Script(std::span(data, size)).run();
  return 0;
}
