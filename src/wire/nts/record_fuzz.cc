// Any octets as a message: what reads as a record is written back octet for octet, and the end is
// found in the same place however the octets come.
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "wire/nts/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  using namespace timepool::wire::nts;
  const Bytes message = std::as_bytes(std::span(data, size));
  std::optional<std::size_t> end;
  std::vector<std::byte> again(size);
  ByteWriter writer(again);
  ByteReader reader(message);
  while (reader.remaining() > 0) {
    const Record record = read_record(reader);
    if (!reader.ok()) break;
    write_record(record, writer);
    CHECK(writer.ok() && writer.size() == reader.position());
    if (!end && record.type == record_type::kEndOfMessage) end = reader.position();
  }
  CHECK(size == 0 || std::memcmp(again.data(), data, writer.size()) == 0);

  MessageEnd at_once;
  CHECK(at_once.find(message) == end);
  MessageEnd slow;
  for (std::size_t i = 0; i <= size; ++i) {
    const auto found = slow.find(message.first(i));
    CHECK(found.has_value() == (end && i >= *end));
    CHECK(!found || *found == *end);
  }
  return 0;
}
