// The full reader of messages, for clients, tools and tests: everything is checked once, then the
// records are walked without allocation. The message's bytes must live as long.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/byte_reader.h"
#include "base/result.h"
#include "base/static_vector.h"
#include "wire/dns/constants.h"
#include "wire/dns/edns.h"
#include "wire/dns/header.h"
#include "wire/dns/question.h"
#include "wire/dns/rdata.h"

namespace timepool::wire::dns {

struct Record {
  Section section = Section::kAnswer;
  DnsName owner;
  RrType type = RrType::kA;
  RrClass klass = RrClass::kIn;
  std::uint32_t ttl = 0;
  std::size_t rdata_offset = 0;
  Bytes rdata;  // as it stands in the message, maybe with compressed names
};

class Message;

// Walks the records in the order of the message, OPT too.
class RecordCursor {
 public:
  // The next record, or none at the end.
  std::optional<Record> next();

 private:
  friend class Message;
  RecordCursor(ByteReader reader, const Header& header) : reader_(reader), header_(header) {}
  ByteReader reader_;
  Header header_;
  unsigned done_ = 0;
};

class Message {
 public:
  // More questions than one have no agreed meaning; UPDATE and mDNS use few.
  static constexpr std::size_t kMaxQuestions = 8;

  // Checks every name, length and known type's data, OPT's place, and that nothing is left over.
  // Errors: any Malformed that does not speak of queries.
  static Result<Message, Malformed> parse(Bytes bytes);

  const Header& header() const { return header_; }
  const StaticVector<Question, kMaxQuestions>& questions() const { return questions_; }
  const std::optional<Edns>& edns() const { return edns_; }
  // All twelve bits.
  Rcode rcode() const;
  RecordCursor records() const;
  // The data of a record of this message: it was checked by parse().
  Rdata rdata(const Record& record) const;
  Bytes bytes() const { return bytes_; }

 private:
  Bytes bytes_;
  Header header_;
  StaticVector<Question, kMaxQuestions> questions_;
  std::size_t records_at_ = 0;
  std::optional<Edns> edns_;
};

inline Result<Message, Malformed> parse_message(Bytes bytes) {
  return Message::parse(bytes);
}

// "example.com. 300 IN A 192.0.2.1"
std::string format(const Message& message, const Record& record);

}  // namespace timepool::wire::dns
