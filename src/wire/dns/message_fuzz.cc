#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "wire/dns/message.h"
#include "wire/dns/message_writer.h"

namespace {

using namespace timepool;
using namespace timepool::wire::dns;

// The record's data in canonical form.
std::vector<std::byte> canonical(const Message& message, const Record& record) {
  std::vector<std::byte> out(2 * kMaxMessage);
  ByteWriter writer(out);
  // SVCB, NSEC and the owner keep their case; compression does not touch them, but for the owner.
  write_rdata(writer, message.rdata(record), NameForm::kCanonical);
  CHECK(writer.ok());
  out.resize(writer.size());
  return out;
}

void check_same(const Message& a, const Message& b) {
  RecordCursor left = a.records();
  RecordCursor right = b.records();
  while (const auto record = left.next()) {
    const auto other = right.next();
    CHECK(other.has_value());
    CHECK(record->section == other->section && record->owner == other->owner);
    CHECK(record->type == other->type && record->klass == other->klass);
    CHECK(record->ttl == other->ttl && canonical(a, *record) == canonical(b, *other));
    CHECK(!format(a, *record).empty());
  }
  CHECK(!right.next().has_value());
}

}  // namespace

// Parse, write, parse again, equal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto message = parse_message(std::as_bytes(std::span(data, size)));
  if (!message.ok()) {
    CHECK(name_of(message.error()) != "unknown");
    return 0;
  }
  std::vector<std::byte> buffer(kMaxMessage);
  MessageWriter writer(buffer);
  writer.header(message->header());
  for (const Question& question : message->questions()) {
    if (!writer.question(question.name, question.type, question.klass)) return 0;
  }
  RecordCursor cursor = message->records();
  while (const auto record = cursor.next()) {
    // What was compressed in a way that ours does not use (a target of SRV) may not fit any more.
    if (!writer.record(record->section, record->owner, record->type, record->klass, record->ttl,
                       message->rdata(*record))) {
      return 0;
    }
  }
  const auto again = parse_message(writer.finish());
  CHECK(again.ok());
  CHECK(again->header() == message->header());
  CHECK(again->rcode() == message->rcode());
  CHECK(std::equal(again->questions().begin(), again->questions().end(),
                   message->questions().begin(), message->questions().end()));
  check_same(*message, *again);
  return 0;
}
