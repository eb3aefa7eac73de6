#include <array>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "wire/dns/message.h"
#include "wire/dns/message_writer.h"
#include "wire/dns/query.h"
#include "wire/dns/same_query.h"

// The fast reader: what it accepts, the writer can say and the fast reader reads alike; the full
// reader sees the same question. Its short way for common queries makes no difference.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  using namespace timepool::wire::dns;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  const auto query = parse_query(bytes);
  CHECK(testing::read_alike(bytes));
  if (!query.ok()) {
    CHECK(name_of(query.error()) != "unknown");
    return 0;
  }
  CHECK(!query->header.has(Header::kQr) && query->question_end <= size);
  std::array<std::byte, kMaxMessage> buffer;
  MessageWriter writer(buffer);
  writer.header(query->header);
  if (query->has_question) CHECK(writer.question(query->name, query->type, query->klass));
  if (query->edns) CHECK(writer.opt(query->edns->header, query->edns->options));
  const auto again = parse_query(writer.finish());
  CHECK(again.ok());
  CHECK(again->has_question == query->has_question && same_bytes(again->name, query->name));
  CHECK(again->type == query->type && again->klass == query->klass);
  CHECK(again->edns.has_value() == query->edns.has_value());
  if (query->edns) {
    CHECK(again->edns->header == query->edns->header);
    CHECK(again->edns->client_subnet == query->edns->client_subnet);
    CHECK(again->edns->cookie.has_value() == query->edns->cookie.has_value());
    CHECK(again->edns->nsid.has_value() == query->edns->nsid.has_value());
  }
  const auto message = parse_message(writer.finish());
  CHECK(message.ok() && message->questions().size() == (query->has_question ? 1U : 0U));
  if (query->has_question) CHECK(same_bytes(message->questions()[0].name, query->name));
  return 0;
}
