// No allocation per datagram: malloc itself is counted while a worker answers.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "base/counted_malloc.h"
#include "crypto/mac.h"
#include "net/udp_worker.h"
#include "ntpd/server_handler.h"
#include "wire/ntp/header.h"

namespace timepool::ntpd {
namespace {

#ifdef TIMEPOOL_COUNTS_MALLOC

using Packet = std::array<std::byte, wire::ntp::kHeaderSize>;

Packet request(std::uint8_t version, wire::ntp::Mode mode, std::uint64_t origin) {
  wire::ntp::Header header;
  header.version = version;
  header.mode = mode;
  header.origin = NtpTimestamp::from_bits(origin);
  header.receive = NtpTimestamp::from_bits(origin == 0 ? 0 : 7);
  header.transmit = NtpTimestamp::from_bits(0x1122334455667788);
  Packet out{};
  ByteWriter writer(out);
  wire::ntp::write_header(header, writer);
  return out;
}

ntp::Service synchronised() {
  ntp::Service out;
  out.state.leap = wire::ntp::Leap::kNone;
  out.state.stratum = 2;
  out.state.reference_time = sys::unix_now();
  return out;
}

constexpr ntp::KeyId kKey = 11;

std::shared_ptr<const ntp::KeyRing> keys() {
  const std::vector<std::byte> secret(16, std::byte{7});
  std::vector<std::shared_ptr<const ntp::SymmetricKey>> out;
  out.push_back(
      std::make_shared<ntp::SymmetricKey>(kKey, MacType::kAes128Cmac, 1, std::vector<Prefix>(),
                                          crypto::make_mac(MacType::kAes128Cmac, secret).value()));
  return std::make_shared<ntp::KeyRing>(std::move(out));
}

// Of version 4 under kKey; `origin`: the receive timestamp of the reply before, for interleaved
// mode.
std::array<std::byte, 68> keyed(const ntp::KeyRing& ring, std::uint64_t origin) {
  std::array<std::byte, 68> out{};
  const Packet plain = request(4, wire::ntp::Mode::kClient, origin);
  ByteWriter writer(out);
  writer.bytes(plain);
  writer.u32(kKey);
  EXPECT_TRUE(ring.sign(kKey, plain, MutableBytes(out).subspan(52)));
  return out;
}

// One worker on loopback, and its client.
struct OneWorker {
  static std::vector<sys::UdpSocket> sockets() {
    sys::UdpOptions options;
    options.rx_timestamps = true;
    std::vector<sys::UdpSocket> out;
    out.push_back(
        std::move(sys::UdpSocket::bind({parse_ip("127.0.0.1").value(), 0, 0}, options)).value());
    return out;
  }
  // What the worker allocates while it answers all that has come.
  std::uint64_t run(ServerHandler& handler, std::size_t expected) {
    const std::uint64_t before = allocations.load();
    EXPECT_EQ(worker.run_batch(worker.sockets()[0], batch, handler), expected);
    return allocations.load() - before;
  }

  net::UdpWorker worker{sockets()};
  sys::UdpBatch batch{ServerHandler::kMaxRequest, ServerHandler::kMaxRequest};
  sys::UdpSocket client =
      std::move(sys::UdpSocket::connect(worker.sockets()[0].local(), {})).value();
};

TEST(WorkerAllocation, none_for_keyed_and_for_interleaved_keyed_requests) {
  ntp::Service state = synchronised();
  state.keys = keys();
  const ntp::KeyRing& ring = *state.keys;
  net::Published<ntp::Service> service(std::make_unique<ntp::Service>(state));
  ServerHandler handler(service, {.interleaved_replies = 1024});
  OneWorker it;
  std::array<std::byte, 128> reply{};
  std::uint64_t counted = 0;
  // The receive timestamp of the last reply: by its name the next request is interleaved.
  std::uint64_t name = 99;
  for (int round = 0; round < 100; ++round) {
    ASSERT_TRUE(it.client.send(keyed(ring, 0)).ok());
    ASSERT_TRUE(it.client.send(keyed(ring, name)).ok());
    counted += it.run(handler, 2);
    for (int i = 0; i < 2; ++i) {
      const auto got = it.client.receive(reply);
      ASSERT_TRUE(got.ok() && got->has_value() && (*got)->length == 68);
    }
    ByteReader reader(reply);
    const wire::ntp::Header header = wire::ntp::read_header(reader);
    // An interleaved reply names the request's receive timestamp, a basic one its transmit
    // timestamp.
    EXPECT_EQ(header.origin.bits(), round == 0 ? 0x1122334455667788 : 7) << round;
    name = header.receive.bits();
  }
  EXPECT_EQ(counted, 0u);
  ServerCounts counts;
  handler.add_counts(counts);
  EXPECT_EQ(counts.reasons[static_cast<std::size_t>(ntp::Reason::kAnsweredKeyed)], 200u);
}

TEST(WorkerAllocation, none_for_basic_interleaved_and_dropped_datagrams) {
  net::Published<ntp::Service> service(std::make_unique<ntp::Service>(synchronised()));
  ServerHandler handler(service, {.interleaved_replies = 1024});
  OneWorker it;
  const std::array packets{
      request(4, wire::ntp::Mode::kClient, 0), request(3, wire::ntp::Mode::kClient, 0x99),
      request(4, wire::ntp::Mode::kServer, 0), request(7, wire::ntp::Mode::kClient, 0)};
  std::array<std::byte, 64> reply;
  std::uint64_t counted = 0;
  for (int round = 0; round < 100; ++round) {
    for (std::size_t i = 0; i < 60; ++i) ASSERT_TRUE(it.client.send(packets[i % 4]).ok());
    counted += it.run(handler, 60);
    for (int i = 0; i < 30; ++i) ASSERT_TRUE(it.client.receive(reply).value().has_value());
  }
  EXPECT_EQ(counted, 0u);
  EXPECT_EQ(it.worker.counters().sent.load(), 3000u);
  // The counter counts.
  const std::uint64_t before = allocations.load();
  std::vector<std::byte> seen(10'000);
  EXPECT_GT(allocations.load(), before) << seen.size();
}

#else

TEST(WorkerAllocation, none_for_basic_interleaved_keyed_and_dropped_datagrams) {
  GTEST_SKIP() << "a sanitizer counts allocations itself";
}

#endif

}  // namespace
}  // namespace timepool::ntpd
