#include "load/frame_generator.h"

#include <gtest/gtest.h>

#include <set>

#include "load/bpf.h"
#include "load/frame_programs.h"
#include "sys/clock.h"

namespace timepool::load {
namespace {

constexpr MacAddress kOurs{std::byte{2}, {}, {}, {}, {}, std::byte{1}};
constexpr MacAddress kTheirs{std::byte{2}, {}, {}, {}, {}, std::byte{2}};

FramePlan plan() {
  FramePlan out;
  out.target = parse_endpoint("10.77.0.2:123").value();
  out.sources = parse_prefix("172.16.0.0/16").value();
  out.clients = 256;
  out.interval_ns = 1000;
  return out;
}

std::uint64_t u(const std::vector<std::byte>& frame, std::size_t at, std::size_t size) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < size; ++i) out = out << 8 | std::to_integer<unsigned>(frame[at + i]);
  return out;
}

// RFC 791 3.1: right when the sum over all of the header is all ones.
bool sums_up(const std::vector<std::byte>& frame) {
  std::uint64_t sum = 0;
  for (std::size_t at = 14; at < 34; at += 2) sum += u(frame, at, 2);
  return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

// Programs that the kernel has taken; skipped where we may not load any.
class FramePrograms : public ::testing::Test {
 protected:
  void SetUp() override {
    auto memory = SharedMemory::create(FrameMemory::kSize);
    if (!memory.ok() && memory.error().code == ErrorCode::kDenied) {
      GTEST_SKIP() << "no CAP_BPF and CAP_NET_ADMIN";
    }
    ASSERT_TRUE(memory.ok()) << memory.error().text();
    memory_.emplace(std::move(memory).value());
  }
  XdpRun run(const std::vector<bpf_insn>& code, Bytes frame) {
    const auto program = load_xdp(code);
    EXPECT_TRUE(program.ok()) << program.error().text();
    auto out = program.ok() ? run_xdp_once(*program, frame) : fail(program.error());
    EXPECT_TRUE(out.ok()) << out.error().text();
    return out.ok() ? *out : XdpRun();
  }
  XdpRun send() {
    return run(request_program(plan(), memory_->map()), request_frame(plan(), kOurs, kTheirs));
  }
  // What the server answers: addresses and ports change places.
  std::vector<std::byte> reply(std::uint8_t first, std::uint8_t stratum) {
    std::vector<std::byte> out = send().frame;
    std::swap_ranges(out.begin(), out.begin() + 6, out.begin() + 6);
    std::swap_ranges(out.begin() + 26, out.begin() + 30, out.begin() + 30);
    std::swap_ranges(out.begin() + 34, out.begin() + 36, out.begin() + 36);
    out[42] = std::byte{first};
    out[43] = std::byte{stratum};
    return out;
  }
  void open_for_an_hour() {
    const auto now = static_cast<std::uint64_t>(sys::mono_now().ns());
    memory_->write(FrameMemory::kNext, now);
    memory_->write(FrameMemory::kEnd, now + 3'600'000'000'000);
  }

  std::optional<SharedMemory> memory_;
};

TEST_F(FramePrograms, a_request_has_the_right_sum_and_an_address_and_a_port_of_its_own) {
  open_for_an_hour();
  std::set<std::uint64_t> addresses;
  std::set<std::uint64_t> ports;
  for (std::uint64_t i = 1; i <= 256; ++i) {
    const XdpRun sent = send();
    ASSERT_EQ(sent.result, std::uint32_t{XDP_TX});
    ASSERT_EQ(sent.frame.size(), kFrameSize);
    EXPECT_TRUE(sums_up(sent.frame));
    addresses.insert(u(sent.frame, 26, 4));
    ports.insert(u(sent.frame, 34, 2));
    EXPECT_EQ(u(sent.frame, 30, 4), 0x0a4d0002U);
    EXPECT_EQ(u(sent.frame, 36, 2), 123U);
    EXPECT_EQ(u(sent.frame, 42, 1), 0x23U);
    EXPECT_EQ(u(sent.frame, 82, 8), i);
  }
  // 256 clients in a /16: one in each /24.
  EXPECT_EQ(addresses.size(), 256U);
  EXPECT_EQ(*addresses.begin(), 0xac100001U);
  EXPECT_EQ(*addresses.rbegin(), 0xac10ff01U);
  EXPECT_EQ(ports.size(), 256U);
}

TEST_F(FramePrograms, nothing_leaves_before_it_is_due_nor_after_the_end) {
  const auto now = static_cast<std::uint64_t>(sys::mono_now().ns());
  memory_->write(FrameMemory::kNext, now + 3'600'000'000'000);
  memory_->write(FrameMemory::kEnd, now + 7'200'000'000'000);
  EXPECT_EQ(send().result, std::uint32_t{XDP_DROP});
  memory_->write(FrameMemory::kNext, now - 1000);
  memory_->write(FrameMemory::kEnd, now);
  EXPECT_EQ(send().result, std::uint32_t{XDP_DROP});
  EXPECT_EQ(memory_->read(FrameMemory::kSequence), 0U);
}

TEST_F(FramePrograms, of_what_a_pause_made_late_no_more_than_the_backlog_is_made_up_for) {
  open_for_an_hour();
  const auto now = static_cast<std::uint64_t>(sys::mono_now().ns());
  memory_->write(FrameMemory::kNext, now - 1'000'000'000);
  EXPECT_EQ(send().result, std::uint32_t{XDP_TX});
  const std::uint64_t next = memory_->read(FrameMemory::kNext);
  EXPECT_GE(next + FramePlan::kMaxBacklog * 1000, now);
}

TEST_F(FramePrograms, replies_are_counted_by_what_they_are_and_dropped) {
  open_for_an_hour();
  const auto code = reply_program(plan(), memory_->map());
  EXPECT_EQ(run(code, reply(0x24, 2)).result, std::uint32_t{XDP_DROP});
  EXPECT_EQ(run(code, reply(0x24, 1)).result, std::uint32_t{XDP_DROP});
  EXPECT_EQ(run(code, reply(0x24, 0)).result, std::uint32_t{XDP_DROP});
  EXPECT_EQ(run(code, reply(0x23, 2)).result, std::uint32_t{XDP_DROP});
  EXPECT_EQ(memory_->read(FrameMemory::kAnswered), 2U);
  EXPECT_EQ(memory_->read(FrameMemory::kRefused), 1U);
  EXPECT_EQ(memory_->read(FrameMemory::kInvalid), 1U);
}

TEST_F(FramePrograms, what_is_no_reply_passes_uncounted) {
  open_for_an_hour();
  const auto code = reply_program(plan(), memory_->map());
  // Of another type, to another's address, from another port, too short.
  for (const std::size_t changed : {12U, 30U, 34U}) {
    std::vector<std::byte> other = reply(0x24, 2);
    other[changed] ^= std::byte{0x40};
    EXPECT_EQ(run(code, other).result, std::uint32_t{XDP_PASS}) << changed;
  }
  const std::vector<std::byte> whole = reply(0x24, 2);
  EXPECT_EQ(run(code, Bytes(whole).first(80)).result, std::uint32_t{XDP_PASS});
  for (const int word : {FrameMemory::kAnswered, FrameMemory::kRefused, FrameMemory::kInvalid}) {
    EXPECT_EQ(memory_->read(static_cast<std::size_t>(word)), 0U);
  }
}

TEST_F(FramePrograms, what_arrives_is_counted_if_it_is_a_request_and_passes) {
  open_for_an_hour();
  const auto code = arrival_program(plan(), memory_->map());
  const std::vector<std::byte> request = send().frame;
  EXPECT_EQ(run(code, request).result, std::uint32_t{XDP_PASS});
  EXPECT_EQ(run(code, reply(0x24, 2)).result, std::uint32_t{XDP_PASS});
  EXPECT_EQ(memory_->read(FrameMemory::kArrived), 1U);
}

TEST(FrameGenerator, refuses_what_leaves_its_bounds) {
  FrameOptions options;
  options.target = parse_endpoint("10.77.0.2:123").value();
  options.sources = parse_prefix("172.16.0.0/16").value();
  const auto refused = [](const FrameOptions& changed) {
    const auto report = run_frames(changed);
    return !report.ok() && report.error().code == ErrorCode::kInvalid;
  };
  FrameOptions changed = options;
  changed.rate = FrameOptions::kMaxRate + 1;
  EXPECT_TRUE(refused(changed));
  changed = options;
  changed.duration = Duration::seconds(61);
  EXPECT_TRUE(refused(changed));
  changed = options;
  changed.clients = 65537;
  EXPECT_TRUE(refused(changed));
  changed = options;
  changed.target = parse_endpoint("127.0.0.1:123").value();
  EXPECT_TRUE(refused(changed));
  changed = options;
  changed.sources.reset();
  EXPECT_TRUE(refused(changed));
}

TEST(FrameGenerator, sends_to_private_addresses_only) {
  FrameOptions options;
  options.target = parse_endpoint("192.0.2.1:123").value();
  options.sources = parse_prefix("172.16.0.0/16").value();
  const auto report = run_frames(options);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kDenied);
}

}  // namespace
}  // namespace timepool::load
