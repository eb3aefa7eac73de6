// No allocation per datagram: malloc itself is counted while a worker answers.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "base/counted_malloc.h"
#include "net/udp_worker.h"
#include "ntpd/server_handler.h"
#include "wire/ntp/header.h"

namespace timepool::ntpd {
namespace {

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

TEST(WorkerAllocation, none_for_basic_interleaved_and_dropped_datagrams) {
#ifndef TIMEPOOL_COUNTS_MALLOC
  GTEST_SKIP() << "a sanitizer counts allocations itself";
#else
  net::Published<ntp::Service> service(std::make_unique<ntp::Service>(synchronised()));
  ServerHandler handler(service, {.interleaved_replies = 1024});
  const Endpoint any{parse_ip("127.0.0.1").value(), 0, 0};
  sys::UdpOptions options;
  options.rx_timestamps = true;
  std::vector<sys::UdpSocket> sockets;
  sockets.push_back(std::move(sys::UdpSocket::bind(any, options)).value());
  net::UdpWorker worker(std::move(sockets));
  sys::UdpSocket& socket = worker.sockets()[0];
  sys::UdpBatch batch(ServerHandler::kMaxRequest, ServerHandler::kMaxRequest);
  auto client = std::move(sys::UdpSocket::connect(socket.local(), {})).value();
  const std::array packets{
      request(4, wire::ntp::Mode::kClient, 0), request(3, wire::ntp::Mode::kClient, 0x99),
      request(4, wire::ntp::Mode::kServer, 0), request(7, wire::ntp::Mode::kClient, 0)};
  std::array<std::byte, 64> reply;
  std::uint64_t counted = 0;
  for (int round = 0; round < 100; ++round) {
    for (std::size_t i = 0; i < 60; ++i) ASSERT_TRUE(client.send(packets[i % 4]).ok());
    const std::uint64_t before = allocations.load();
    ASSERT_EQ(worker.run_batch(socket, batch, handler), 60u);
    counted += allocations.load() - before;
    for (int i = 0; i < 30; ++i) ASSERT_TRUE(client.receive(reply).value().has_value());
  }
  EXPECT_EQ(counted, 0u);
  EXPECT_EQ(worker.counters().sent.load(), 3000u);
  // The counter counts.
  const std::uint64_t before = allocations.load();
  std::vector<std::byte> seen(10'000);
  EXPECT_GT(allocations.load(), before) << seen.size();
#endif
}

}  // namespace
}  // namespace timepool::ntpd
