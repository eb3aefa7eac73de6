// parse, write: whatever parses is written back octet for octet.
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "wire/snapshot/file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  const auto file = wire::snapshot::parse_file(std::as_bytes(std::span(data, size)));
  if (!file.ok()) {
    CHECK(!wire::snapshot::explain(file.error()).empty());
    return 0;
  }
  std::vector<std::byte> again(size);
  ByteWriter writer(again);
  wire::snapshot::write_file(file->header, file->compressed, writer);
  CHECK(writer.ok());
  CHECK(writer.size() == size);
  CHECK(std::memcmp(again.data(), data, size) == 0);
  return 0;
}
