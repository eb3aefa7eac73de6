#include "load/frame_programs.h"

#include <bit>

#include "base/byte_writer.h"
#include "base/check.h"

namespace timepool::load {
namespace {

// Where things stand in a frame.
constexpr int kTypeAt = 12;
constexpr int kIpAt = 14;
constexpr int kProtocolAt = kIpAt + 9;
constexpr int kChecksumAt = kIpAt + 10;
constexpr int kSourceAt = kIpAt + 12;
constexpr int kDestinationAt = kIpAt + 16;
constexpr int kUdpAt = kIpAt + 20;
constexpr int kNtpAt = kUdpAt + 8;
constexpr int kTransmitAt = kNtpAt + 40;

constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint8_t kPlainHeader = 0x45;  // version 4, 20 octets
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kClientV4 = 0x23;  // version 4, mode 3
constexpr std::uint8_t kServerMode = 4;
constexpr std::uint16_t kUdpLength = 8 + 48;
// An odd number, so that the product's low bits take every value: 2^32 by the golden ratio.
constexpr std::int32_t kMix = static_cast<std::int32_t>(0x9e3779b1);

std::uint16_t swapped(std::uint16_t value) {
  return std::endian::native == std::endian::little ? __builtin_bswap16(value) : value;
}

// As a signed operand with the same bits.
std::int32_t bits(std::uint32_t value) {
  return static_cast<std::int32_t>(value);
}

std::uint32_t mask_of(const Prefix& prefix) {
  return prefix.length() == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix.length());
}

// RFC 791 3.1: the sum of the header's 16-bit words, folded once they are all in it.
std::uint32_t sum_of_words(Bytes header) {
  std::uint32_t out = 0;
  ByteReader reader(header);
  while (reader.remaining() >= 2) out += reader.u16();
  return out;
}

// Registers: 6 the frame, 7 the shared memory, 8 the sequence, 9 the source address.
void take_turn(BpfAssembler& code, const FramePlan& plan) {
  code.call(BPF_FUNC_ktime_get_ns);
  code.load(BPF_DW, Reg::k1, Reg::k7, FrameMemory::kNext);
  code.jump_if(BPF_JLT, Reg::k0, Reg::k1, "drop");
  code.load(BPF_DW, Reg::k2, Reg::k7, FrameMemory::kEnd);
  code.jump_if(BPF_JGE, Reg::k0, Reg::k2, "drop");
  // The next one, but not from so long ago that more than the backlog would follow.
  code.alu(BPF_ADD, Reg::k1, bits(static_cast<std::uint32_t>(plan.interval_ns)));
  code.set_wide(Reg::k2, static_cast<std::uint64_t>(plan.interval_ns * FramePlan::kMaxBacklog));
  code.alu(BPF_SUB, Reg::k0, Reg::k2);
  code.jump_if(BPF_JGE, Reg::k1, Reg::k0, "soon");
  code.move(Reg::k1, Reg::k0);
  code.label("soon");
  code.store(BPF_DW, Reg::k7, FrameMemory::kNext, Reg::k1);
}

// The client's address into register 9.
void choose_client(BpfAssembler& code, const FramePlan& plan) {
  const int spare = 32 - plan.sources.length() - std::countr_zero(plan.clients);
  code.load(BPF_DW, Reg::k8, Reg::k7, FrameMemory::kSequence);
  code.alu(BPF_ADD, Reg::k8, 1);
  code.store(BPF_DW, Reg::k7, FrameMemory::kSequence, Reg::k8);
  code.move(Reg::k9, Reg::k8);
  code.multiply_32(Reg::k9, kMix);
  code.alu(BPF_AND, Reg::k9, bits(plan.clients - 1));
  code.alu(BPF_LSH, Reg::k9, spare);
  code.set_wide(Reg::k1, plan.sources.base().v4_bits() | (spare > 0 ? 1U : 0U));
  code.alu(BPF_OR, Reg::k9, Reg::k1);
}

void write_source(BpfAssembler& code, std::uint32_t sum) {
  // RFC 1624 would need the old sum; it is as short to add the address to the rest's.
  code.move(Reg::k1, Reg::k9);
  code.alu(BPF_RSH, Reg::k1, 16);
  code.move(Reg::k2, Reg::k9);
  code.alu(BPF_AND, Reg::k2, 0xffff);
  code.alu(BPF_ADD, Reg::k1, Reg::k2);
  code.alu(BPF_ADD, Reg::k1, bits(sum));
  for (int fold = 0; fold < 2; ++fold) {
    code.move(Reg::k2, Reg::k1);
    code.alu(BPF_RSH, Reg::k2, 16);
    code.alu(BPF_AND, Reg::k1, 0xffff);
    code.alu(BPF_ADD, Reg::k1, Reg::k2);
  }
  code.alu(BPF_XOR, Reg::k1, 0xffff);
  code.to_big_endian(Reg::k1, 16);
  code.store(BPF_H, Reg::k6, kChecksumAt, Reg::k1);
  code.to_big_endian(Reg::k9, 32);
  code.store(BPF_W, Reg::k6, kSourceAt, Reg::k9);
}

// A port above 32767 and a transmit timestamp that no other request has.
void write_identity(BpfAssembler& code) {
  code.move(Reg::k1, Reg::k8);
  code.alu(BPF_AND, Reg::k1, 0x7fff);
  code.alu(BPF_OR, Reg::k1, 0x8000);
  code.to_big_endian(Reg::k1, 16);
  code.store(BPF_H, Reg::k6, kUdpAt, Reg::k1);
  code.to_big_endian(Reg::k8, 64);
  code.store(BPF_DW, Reg::k6, kTransmitAt, Reg::k8);
}

// Register 6 becomes the frame; one that is shorter than a whole one leads to `label`.
void require_frame(BpfAssembler& code, const std::string& label) {
  code.load(BPF_W, Reg::k6, Reg::k1, offsetof(xdp_md, data));
  code.load(BPF_W, Reg::k2, Reg::k1, offsetof(xdp_md, data_end));
  code.move(Reg::k3, Reg::k6);
  code.alu(BPF_ADD, Reg::k3, static_cast<std::int32_t>(kFrameSize));
  code.jump_if(BPF_JGT, Reg::k3, Reg::k2, label);
}

void require(BpfAssembler& code, int size, int offset, std::uint32_t value,
             const std::string& label) {
  code.load(size, Reg::k1, Reg::k6, offset);
  code.jump_if(BPF_JNE, Reg::k1, bits(value), label);
}

// UDP in IPv4 without options, with `port` at `offset`; anything else leads to `label`.
void require_udp(BpfAssembler& code, int offset, std::uint16_t port, const std::string& label) {
  require(code, BPF_H, kTypeAt, swapped(kIpv4), label);
  require(code, BPF_B, kIpAt, kPlainHeader, label);
  require(code, BPF_B, kProtocolAt, kUdp, label);
  require(code, BPF_H, offset, swapped(port), label);
}

}  // namespace

std::array<std::byte, kFrameSize> request_frame(const FramePlan& plan, const MacAddress& from,
                                                const MacAddress& to) {
  CHECK(plan.target.address.is_v4());
  std::array<std::byte, kFrameSize> out{};
  ByteWriter writer(out);
  writer.bytes(to);
  writer.bytes(from);
  writer.u16(kIpv4);
  // RFC 791 3.1.
  writer.u8(kPlainHeader);
  writer.u8(0);
  writer.u16(20 + kUdpLength);
  writer.u16(0);
  writer.u16(0x4000);  // not to be fragmented
  writer.u8(64);       // hops
  writer.u8(kUdp);
  writer.zeros(2 + 4);
  writer.u32(plan.target.address.v4_bits());
  // RFC 768.
  writer.u16(0);
  writer.u16(plan.target.port);
  writer.u16(kUdpLength);
  writer.u16(0);
  writer.u8(kClientV4);
  writer.zeros(47);
  CHECK(writer.ok() && writer.size() == kFrameSize);
  return out;
}

std::vector<bpf_insn> request_program(const FramePlan& plan, int map) {
  CHECK(std::has_single_bit(plan.clients) && plan.sources.base().is_v4());
  CHECK(plan.interval_ns > 0 && plan.interval_ns < std::int64_t{1} << 31);
  const auto frame = request_frame(plan, {}, {});
  BpfAssembler code;
  require_frame(code, "drop");
  code.set_map_value(Reg::k7, map);
  take_turn(code, plan);
  choose_client(code, plan);
  write_source(code, sum_of_words(Bytes(frame).subspan(kIpAt, 20)));
  write_identity(code);
  code.finish(XDP_TX);
  code.label("drop");
  code.finish(XDP_DROP);
  return code.program();
}

std::vector<bpf_insn> arrival_program(const FramePlan& plan, int map) {
  BpfAssembler code;
  require_frame(code, "pass");
  require_udp(code, kUdpAt + 2, plan.target.port, "pass");
  code.set_map_value(Reg::k7, map);
  code.count(Reg::k7, FrameMemory::kArrived, Reg::k1);
  code.label("pass");
  code.finish(XDP_PASS);
  return code.program();
}

std::vector<bpf_insn> reply_program(const FramePlan& plan, int map) {
  BpfAssembler code;
  require_frame(code, "pass");
  require_udp(code, kUdpAt, plan.target.port, "pass");
  // To one of our clients.
  code.load(BPF_W, Reg::k1, Reg::k6, kDestinationAt);
  code.to_big_endian(Reg::k1, 32);
  code.set_wide(Reg::k2, mask_of(plan.sources));
  code.alu(BPF_AND, Reg::k1, Reg::k2);
  code.set_wide(Reg::k2, plan.sources.base().v4_bits());
  code.jump_if(BPF_JNE, Reg::k1, Reg::k2, "pass");
  code.set_map_value(Reg::k7, map);
  code.load(BPF_B, Reg::k1, Reg::k6, kNtpAt);
  code.alu(BPF_AND, Reg::k1, 7);
  code.jump_if(BPF_JNE, Reg::k1, kServerMode, "invalid");
  code.load(BPF_B, Reg::k1, Reg::k6, kNtpAt + 1);
  code.jump_if(BPF_JEQ, Reg::k1, 0, "refused");
  code.count(Reg::k7, FrameMemory::kAnswered, Reg::k1);
  code.finish(XDP_DROP);
  code.label("refused");
  code.count(Reg::k7, FrameMemory::kRefused, Reg::k1);
  code.finish(XDP_DROP);
  code.label("invalid");
  code.count(Reg::k7, FrameMemory::kInvalid, Reg::k1);
  code.finish(XDP_DROP);
  code.label("pass");
  code.finish(XDP_PASS);
  return code.program();
}

}  // namespace timepool::load
