// The file of a snapshot: what a pool's manager signs and its DNS nodes fetch and keep.
//
//   0   8  "TPSNAP1\n"
//   8   8  serial, above 0; a later snapshot has a higher one
//   16  8  created, Unix seconds
//   24  4  length of the payload
//   28  4  length of the payload compressed
//   32  64 Ed25519 signature over everything else, in order
//   96  .. the payload as one zstd frame, to the end of the file
//
// Integers are big-endian. The codec neither verifies nor decompresses: snapshot/seal.h does.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/result.h"

namespace timepool::wire::snapshot {

inline constexpr std::size_t kHeaderSize = 96;
inline constexpr std::size_t kSignatureAt = 32;
inline constexpr std::size_t kSignatureSize = 64;
// A pool of 5000 servers is 1 MB of payload and 115 kB compressed: room for sixty such pools.
inline constexpr std::size_t kMaxPayload = 64 << 20;
inline constexpr std::size_t kMaxCompressed = 16 << 20;
inline constexpr std::size_t kMaxFile = kHeaderSize + kMaxCompressed;

struct Header {
  std::uint64_t serial = 0;
  std::uint64_t created = 0;  // Unix seconds
  std::uint32_t payload_size = 0;
  std::uint32_t compressed_size = 0;
  std::array<std::byte, kSignatureSize> signature{};

  bool operator==(const Header&) const = default;
};

struct File {
  Header header;
  Bytes compressed;  // borrowed from the parsed buffer
};

enum class Bad : unsigned char {
  kMagic,     // not a snapshot
  kShort,     // ends within the header
  kSerial,    // serial 0
  kEmpty,     // a length of 0
  kTooLarge,  // a length above the limits
  kLength,    // the file is shorter or longer than the header says
};
std::string_view explain(Bad bad);

Result<File, Bad> parse_file(Bytes bytes);
// The bytes before the signature.
void write_signed_part(const Header& header, ByteWriter& out);
// The whole file; CHECKs that the lengths in the header are within the limits and that of
// `compressed`.
void write_file(const Header& header, Bytes compressed, ByteWriter& out);

}  // namespace timepool::wire::snapshot
