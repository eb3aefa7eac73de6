#include "snapshot/seal.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/check.h"
#include "wire/snapshot/file.h"

namespace timepool::snapshot {
namespace {

using wire::snapshot::Header;

// 115 kB of 970 kB for a pool of 5000 servers in some 20 ms.
constexpr int kLevel = 9;
// The latest creation time that a UnixTime can hold: the year 2262.
constexpr std::uint64_t kMaxCreated = 9'223'372'035;

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// What is signed: the header before the signature, then the compressed payload.
std::vector<std::byte> signed_message(const Header& header, Bytes compressed) {
  std::vector<std::byte> message(wire::snapshot::kSignatureAt + compressed.size());
  ByteWriter writer(message);
  wire::snapshot::write_signed_part(header, writer);
  writer.bytes(compressed);
  CHECK(writer.ok() && writer.size() == message.size());
  return message;
}

Error corrupt(std::string_view detail) {
  return Error{ErrorCode::kCorrupt, "snapshot", std::string(detail)};
}

// The payload, when the frame says that it has exactly the length of the header and is the only
// one.
Result<std::string> decompress(Bytes compressed, std::size_t size) {
  if (::ZSTD_getFrameContentSize(compressed.data(), compressed.size()) != size) {
    return fail(corrupt("the compressed payload does not have the length that the header says"));
  }
  if (::ZSTD_findFrameCompressedSize(compressed.data(), compressed.size()) != compressed.size()) {
    return fail(corrupt("the compressed payload is not one zstd frame"));
  }
  std::string out(size, '\0');
  const std::size_t got =
      ::ZSTD_decompress(out.data(), out.size(), compressed.data(), compressed.size());
  if (::ZSTD_isError(got) != 0) return fail(corrupt(::ZSTD_getErrorName(got)));
  if (got != size) return fail(corrupt("the payload is shorter than the header says"));
  return out;
}

}  // namespace

Result<std::string> seal(std::string_view payload, std::uint64_t serial, UnixTime created,
                         const crypto::SigningKey& key) {
  CHECK(serial > 0 && created.seconds() >= 0);
  if (payload.empty() || payload.size() > wire::snapshot::kMaxPayload) {
    return fail(Error{ErrorCode::kExhausted, "seal snapshot",
                      "a payload of " + std::to_string(payload.size()) +
                          " bytes is not between 1 byte and 64 MiB"});
  }
  std::vector<std::byte> compressed(::ZSTD_compressBound(payload.size()));
  const std::size_t size =
      ::ZSTD_compress(compressed.data(), compressed.size(), payload.data(), payload.size(), kLevel);
  CHECK(::ZSTD_isError(size) == 0);
  if (size > wire::snapshot::kMaxCompressed) {
    return fail(Error{ErrorCode::kExhausted, "seal snapshot",
                      "the compressed payload is larger than 16 MiB"});
  }
  compressed.resize(size);
  Header header;
  header.serial = serial;
  header.created = static_cast<std::uint64_t>(created.seconds());
  header.payload_size = static_cast<std::uint32_t>(payload.size());
  header.compressed_size = static_cast<std::uint32_t>(size);
  header.signature = key.sign(signed_message(header, compressed));
  std::string file(wire::snapshot::kHeaderSize + size, '\0');
  ByteWriter writer(std::as_writable_bytes(std::span(file.data(), file.size())));
  wire::snapshot::write_file(header, compressed, writer);
  CHECK(writer.ok());
  return file;
}

Result<Snapshot> open(std::string_view file, std::span<const crypto::PublicKey> keys) {
  const auto parsed = wire::snapshot::parse_file(bytes_of(file));
  if (!parsed.ok()) return fail(corrupt(wire::snapshot::explain(parsed.error())));
  const Header& header = parsed->header;
  const std::vector<std::byte> message = signed_message(header, parsed->compressed);
  const bool known = std::any_of(keys.begin(), keys.end(), [&](const crypto::PublicKey& key) {
    return crypto::verify(key, message, header.signature);
  });
  if (!known) return fail(corrupt("no known key signed it, or it was changed since"));
  if (header.created > kMaxCreated) return fail(corrupt("it was created after the year 2262"));
  Snapshot out;
  out.serial = header.serial;
  out.created = UnixTime::from_seconds(static_cast<std::int64_t>(header.created));
  out.payload = TRY(decompress(parsed->compressed, header.payload_size));
  return out;
}

}  // namespace timepool::snapshot
