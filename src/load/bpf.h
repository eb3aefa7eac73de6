// The bpf(2) system call as far as the frame generator needs it: programs of a few instructions,
// one shared array in memory, programs on network devices. No library: what the kernel takes is
// laid down in <linux/bpf.h>.
#pragma once

#include <linux/bpf.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/result.h"
#include "sys/fd.h"

namespace timepool::load {

// Registers: 0 is the result, 1 to 5 are arguments and lost by a call, 6 to 9 are kept.
enum class Reg : std::uint8_t { k0, k1, k2, k3, k4, k5, k6, k7, k8, k9 };

// A program, instruction by instruction; jumps lead forward to labels.
class BpfAssembler {
 public:
  void load(int size, Reg to, Reg base, int offset);  // size: BPF_B, BPF_H, BPF_W, BPF_DW
  void store(int size, Reg base, int offset, Reg from);
  void move(Reg to, Reg from);
  void set(Reg to, std::int32_t value);  // of 64 bits, its sign extended
  void set_wide(Reg to, std::uint64_t value);
  // The address of the first value of the array `map` (a descriptor).
  void set_map_value(Reg to, int map);
  // to = to OP value; operations: BPF_ADD, BPF_AND, BPF_LSH, ...; unsigned, 64 bits.
  void alu(int operation, Reg to, std::int32_t value);
  void alu(int operation, Reg to, Reg from);
  void multiply_32(Reg to, std::int32_t value);  // modulo 2^32
  void to_big_endian(Reg value, int bits);
  // Adds one to the 64-bit word, safe against other processors. `scratch` is overwritten.
  void count(Reg base, int offset, Reg scratch);
  void call(int helper);
  // Where `a` COMPARISON `b` (BPF_JEQ, BPF_JGT, ..., unsigned).
  void jump_if(int comparison, Reg a, std::int32_t b, const std::string& label);
  void jump_if(int comparison, Reg a, Reg b, const std::string& label);
  // What is jumped to; each label is put once.
  void label(const std::string& name);
  void finish(std::int32_t result);

  // CHECKs that every label was put.
  std::vector<bpf_insn> program() const;

 private:
  void add(int code, Reg to, Reg from, int offset, std::int32_t value);

  std::vector<bpf_insn> code_;
  std::map<std::string, std::size_t> labels_;
  std::map<std::size_t, std::string> jumps_;  // by the instruction that jumps
};

// An array map of one value, mapped into this process: what programs and we both see.
class SharedMemory {
 public:
  // `size` octets, all zero; at most a page.
  static Result<SharedMemory> create(std::size_t size);
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&&) = delete;
  ~SharedMemory();

  int map() const { return fd_.number(); }
  // Words of 64 bits, by their offset in octets (CHECKed).
  std::uint64_t read(std::size_t offset) const;
  void write(std::size_t offset, std::uint64_t value);

 private:
  SharedMemory(sys::Fd fd, std::uint64_t* words, std::size_t size)
      : fd_(std::move(fd)), words_(words), size_(size) {}

  sys::Fd fd_;
  std::uint64_t* words_ = nullptr;
  std::size_t size_ = 0;
};

// A program for network devices (XDP). Errors: what the system says, with the verifier's last
// words.
Result<sys::Fd> load_xdp(std::span<const bpf_insn> program);
// Puts it on the device of this index in the calling thread's network namespace, in the driver's
// own mode, until the descriptor is closed.
Result<sys::Fd> attach_xdp(const sys::Fd& program, unsigned device);
// Runs it on copies of `frame` as if they came by `device`, `repeat` times, and does with each what
// it says (BPF_F_TEST_XDP_LIVE_FRAMES). A signal may end that early, which is no error.
Result<void> run_xdp_live(const sys::Fd& program, Bytes frame, unsigned device,
                          std::uint32_t repeat);

struct XdpRun {
  std::uint32_t result = 0;  // XDP_PASS, ...
  std::vector<std::byte> frame;
};
// Runs it once, and nothing is done with the frame.
Result<XdpRun> run_xdp_once(const sys::Fd& program, Bytes frame);

}  // namespace timepool::load
