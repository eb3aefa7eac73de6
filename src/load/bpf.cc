#include "load/bpf.h"

#include <linux/if_link.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace timepool::load {
namespace {

constexpr std::size_t kPage = 4096;
// Iterations between two looks at what came: at 100 to 250 ns each, what is due leaves within 4 us.
constexpr std::uint32_t kLiveBatch = 16;

// NOLINTNEXTLINE(misc-redundant-expression): two of its parts are zero.
constexpr int kLoadWide = BPF_LD | BPF_DW | BPF_IMM;

long call_bpf(bpf_cmd command, bpf_attr& attributes) {
  return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

std::uint64_t pointer(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address);
}

}  // namespace

void BpfAssembler::add(int code, Reg to, Reg from, int offset, std::int32_t value) {
  bpf_insn out{};
  out.code = static_cast<std::uint8_t>(code);
  out.dst_reg = static_cast<std::uint8_t>(to) & 0xf;
  out.src_reg = static_cast<std::uint8_t>(from) & 0xf;
  out.off = static_cast<std::int16_t>(offset);
  out.imm = value;
  code_.push_back(out);
}

void BpfAssembler::load(int size, Reg to, Reg base, int offset) {
  add(BPF_LDX | BPF_MEM | size, to, base, offset, 0);
}
void BpfAssembler::store(int size, Reg base, int offset, Reg from) {
  add(BPF_STX | BPF_MEM | size, base, from, offset, 0);
}
void BpfAssembler::move(Reg to, Reg from) {
  add(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}
void BpfAssembler::set(Reg to, std::int32_t value) {
  add(BPF_ALU64 | BPF_MOV | BPF_K, to, Reg::k0, 0, value);
}

void BpfAssembler::set_wide(Reg to, std::uint64_t value) {
  add(kLoadWide, to, Reg::k0, 0, static_cast<std::int32_t>(value));
  add(0, Reg::k0, Reg::k0, 0, static_cast<std::int32_t>(value >> 32));
}

void BpfAssembler::set_map_value(Reg to, int map) {
  add(kLoadWide, to, static_cast<Reg>(BPF_PSEUDO_MAP_VALUE), 0, map);
  add(0, Reg::k0, Reg::k0, 0, 0);
}

void BpfAssembler::alu(int operation, Reg to, std::int32_t value) {
  add(BPF_ALU64 | operation | BPF_K, to, Reg::k0, 0, value);
}
void BpfAssembler::alu(int operation, Reg to, Reg from) {
  add(BPF_ALU64 | operation | BPF_X, to, from, 0, 0);
}
void BpfAssembler::multiply_32(Reg to, std::int32_t value) {
  add(BPF_ALU | BPF_MUL | BPF_K, to, Reg::k0, 0, value);
}
void BpfAssembler::to_big_endian(Reg value, int bits) {
  add(BPF_ALU | BPF_END | BPF_TO_BE, value, Reg::k0, 0, bits);
}

void BpfAssembler::count(Reg base, int offset, Reg scratch) {
  set(scratch, 1);
  add(BPF_STX | BPF_ATOMIC | BPF_DW, base, scratch, offset, BPF_ADD);
}

void BpfAssembler::call(int helper) {
  add(BPF_JMP | BPF_CALL, Reg::k0, Reg::k0, 0, helper);
}

void BpfAssembler::jump_if(int comparison, Reg a, std::int32_t b, const std::string& label) {
  jumps_[code_.size()] = label;
  add(BPF_JMP | comparison | BPF_K, a, Reg::k0, 0, b);
}
void BpfAssembler::jump_if(int comparison, Reg a, Reg b, const std::string& label) {
  jumps_[code_.size()] = label;
  add(BPF_JMP | comparison | BPF_X, a, b, 0, 0);
}

void BpfAssembler::label(const std::string& name) {
  CHECK(labels_.emplace(name, code_.size()).second);
}

void BpfAssembler::finish(std::int32_t result) {
  set(Reg::k0, result);
  add(BPF_JMP | BPF_EXIT, Reg::k0, Reg::k0, 0, 0);
}

std::vector<bpf_insn> BpfAssembler::program() const {
  std::vector<bpf_insn> out = code_;
  for (const auto& [from, name] : jumps_) {
    const auto to = labels_.find(name);
    CHECK(to != labels_.end() && to->second > from);
    out[from].off = static_cast<std::int16_t>(to->second - from - 1);
  }
  return out;
}

Result<SharedMemory> SharedMemory::create(std::size_t size) {
  CHECK(size > 0 && size <= kPage && size % sizeof(std::uint64_t) == 0);
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = sizeof(std::uint32_t);
  attributes.value_size = static_cast<std::uint32_t>(size);
  attributes.max_entries = 1;
  attributes.map_flags = BPF_F_MMAPABLE;
  sys::Fd fd(static_cast<int>(call_bpf(BPF_MAP_CREATE, attributes)));
  if (!fd.valid()) return fail(system_error(errno, "make a BPF map"));
  void* const memory = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd.number(), 0);
  if (memory == MAP_FAILED) return fail(system_error(errno, "map a BPF map"));
  return SharedMemory(std::move(fd), static_cast<std::uint64_t*>(memory), size);
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : fd_(std::move(other.fd_)), words_(std::exchange(other.words_, nullptr)), size_(other.size_) {}

SharedMemory::~SharedMemory() {
  if (words_ != nullptr) ::munmap(words_, kPage);
}

std::uint64_t SharedMemory::read(std::size_t offset) const {
  CHECK(offset + sizeof(std::uint64_t) <= size_);
  return std::atomic_ref<std::uint64_t>(words_[offset / sizeof(std::uint64_t)]).load();
}

void SharedMemory::write(std::size_t offset, std::uint64_t value) {
  CHECK(offset + sizeof(std::uint64_t) <= size_);
  std::atomic_ref<std::uint64_t>(words_[offset / sizeof(std::uint64_t)]).store(value);
}

Result<sys::Fd> load_xdp(std::span<const bpf_insn> program) {
  // Asked for only where the program was refused: long logs make the call fail.
  std::array<char, 4096> log{};
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_XDP;
  attributes.insn_cnt = static_cast<std::uint32_t>(program.size());
  attributes.insns = pointer(program.data());
  attributes.license = pointer("Apache-2.0");
  sys::Fd fd(static_cast<int>(call_bpf(BPF_PROG_LOAD, attributes)));
  if (fd.valid()) return fd;
  Error error = system_error(errno, "load an XDP program");
  attributes.log_level = 1;
  attributes.log_size = static_cast<std::uint32_t>(log.size());
  attributes.log_buf = pointer(log.data());
  sys::Fd again(static_cast<int>(call_bpf(BPF_PROG_LOAD, attributes)));
  if (log[0] != '\0') error.detail += "; the kernel: " + std::string(log.data());
  return fail(error);
}

Result<sys::Fd> attach_xdp(const sys::Fd& program, unsigned device) {
  bpf_attr attributes{};
  attributes.link_create.prog_fd = static_cast<std::uint32_t>(program.number());
  attributes.link_create.target_ifindex = device;
  attributes.link_create.attach_type = BPF_XDP;
  attributes.link_create.flags = XDP_FLAGS_DRV_MODE;
  sys::Fd fd(static_cast<int>(call_bpf(BPF_LINK_CREATE, attributes)));
  if (!fd.valid()) {
    return fail(system_error(errno, "put an XDP program on device " + std::to_string(device)));
  }
  return fd;
}

Result<void> run_xdp_live(const sys::Fd& program, Bytes frame, unsigned device,
                          std::uint32_t repeat) {
  xdp_md context{};
  context.data_end = static_cast<std::uint32_t>(frame.size());
  context.ingress_ifindex = device;
  bpf_attr attributes{};
  attributes.test.prog_fd = static_cast<std::uint32_t>(program.number());
  attributes.test.data_in = pointer(frame.data());
  attributes.test.data_size_in = static_cast<std::uint32_t>(frame.size());
  attributes.test.ctx_in = pointer(&context);
  attributes.test.ctx_size_in = sizeof context;
  attributes.test.repeat = repeat;
  attributes.test.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  attributes.test.batch_size = kLiveBatch;
  if (call_bpf(BPF_PROG_TEST_RUN, attributes) < 0 && errno != EINTR && errno != EAGAIN) {
    return fail(system_error(errno, "send frames by an XDP program"));
  }
  return {};
}

Result<XdpRun> run_xdp_once(const sys::Fd& program, Bytes frame) {
  XdpRun out;
  out.frame.resize(frame.size());
  bpf_attr attributes{};
  attributes.test.prog_fd = static_cast<std::uint32_t>(program.number());
  attributes.test.data_in = pointer(frame.data());
  attributes.test.data_size_in = static_cast<std::uint32_t>(frame.size());
  attributes.test.data_out = pointer(out.frame.data());
  attributes.test.data_size_out = static_cast<std::uint32_t>(out.frame.size());
  attributes.test.repeat = 1;
  if (call_bpf(BPF_PROG_TEST_RUN, attributes) < 0) {
    return fail(system_error(errno, "run an XDP program"));
  }
  out.result = attributes.test.retval;
  return out;
}

}  // namespace timepool::load
