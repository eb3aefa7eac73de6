#include "wire/snapshot/file.h"

#include <algorithm>

#include "base/check.h"

namespace timepool::wire::snapshot {
namespace {

constexpr std::string_view kMagic = "TPSNAP1\n";

bool has_magic(Bytes bytes) {
  return bytes.size() >= kMagic.size() &&
         std::equal(kMagic.begin(), kMagic.end(), bytes.begin(),
                    [](char c, std::byte b) { return static_cast<std::byte>(c) == b; });
}

}  // namespace

std::string_view explain(Bad bad) {
  switch (bad) {
    case Bad::kMagic:
      return "not a snapshot: it does not begin with TPSNAP1";
    case Bad::kShort:
      return "the snapshot ends within its header";
    case Bad::kSerial:
      return "the snapshot's serial is 0";
    case Bad::kEmpty:
      return "the snapshot is empty";
    case Bad::kTooLarge:
      return "the snapshot is larger than 64 MiB, or 16 MiB compressed";
    case Bad::kLength:
      return "the snapshot is shorter or longer than its header says";
  }
  return "";
}

Result<File, Bad> parse_file(Bytes bytes) {
  if (!has_magic(bytes)) return fail(Bad::kMagic);
  ByteReader reader(bytes);
  reader.skip(kMagic.size());
  File file;
  file.header.serial = reader.u64();
  file.header.created = reader.u64();
  file.header.payload_size = reader.u32();
  file.header.compressed_size = reader.u32();
  reader.copy(file.header.signature);
  if (!reader.ok()) return fail(Bad::kShort);
  const Header& header = file.header;
  if (header.serial == 0) return fail(Bad::kSerial);
  if (header.payload_size == 0 || header.compressed_size == 0) return fail(Bad::kEmpty);
  if (header.payload_size > kMaxPayload || header.compressed_size > kMaxCompressed) {
    return fail(Bad::kTooLarge);
  }
  file.compressed = reader.rest();
  if (file.compressed.size() != header.compressed_size) return fail(Bad::kLength);
  return file;
}

void write_signed_part(const Header& header, ByteWriter& out) {
  out.text(kMagic);
  out.u64(header.serial);
  out.u64(header.created);
  out.u32(header.payload_size);
  out.u32(header.compressed_size);
}

void write_file(const Header& header, Bytes compressed, ByteWriter& out) {
  CHECK(header.serial != 0);
  CHECK(header.payload_size != 0 && header.payload_size <= kMaxPayload);
  CHECK(!compressed.empty() && compressed.size() <= kMaxCompressed);
  CHECK(header.compressed_size == compressed.size());
  write_signed_part(header, out);
  out.bytes(header.signature);
  out.bytes(compressed);
}

}  // namespace timepool::wire::snapshot
