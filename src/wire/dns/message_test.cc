#include "wire/dns/message.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/hex.h"
#include "wire/dns/message_writer.h"
#include "wire/dns/record_generator.h"

namespace timepool::wire::dns {
namespace {

DnsName name(std::string_view text) {
  return DnsName::from_text(text).value();
}
IpAddress ip(std::string_view text) {
  return parse_ip(text).value();
}

Header response(std::uint16_t id) {
  Header header;
  header.id = id;
  header.set(Header::kQr);
  header.set(Header::kAa);
  return header;
}

TEST(MessageWriter, golden_answer_with_compression) {
  std::array<std::byte, 512> buffer;
  MessageWriter writer(buffer);
  writer.header(response(0x1234));
  ASSERT_TRUE(writer.question(name("Pool.Test."), RrType::kA));
  // In the case of the question, by a pointer to it.
  ASSERT_TRUE(writer.address(Section::kAnswer, name("pool.test."), 150, ip("192.0.2.1")));
  ASSERT_TRUE(writer.address(Section::kAnswer, name("pool.test."), 150, ip("2001:db8::1")));
  ASSERT_TRUE(writer.record(Section::kAuthority, name("test."), RrType::kNs, RrClass::kIn, 60,
                            NameData{name("ns.pool.test.")}));
  // SRV's target is written in full (RFC 2782).
  ASSERT_TRUE(writer.record(Section::kAdditional, name("ns.pool.test."), RrType::kSrv, RrClass::kIn,
                            1, Srv{1, 2, 3, name("pool.test.")}));
  ASSERT_TRUE(writer.opt({.udp_size = 1232, .flags = EdnsHeader::kDo}));
  EXPECT_EQ(to_hex(writer.finish()),
            "123484000001000200010002"
            "04506f6f6c0454657374000001"
            "0001"
            "c00c0001000100000096"
            "0004c0000201"
            "c00c001c000100000096"
            "001020010db8000000000000000000000001"
            "c011000200010000003c"
            "0005"
            "026e73c00c"
            "c0530021000100000001"
            "0011"
            "000100020003"
            "04706f6f6c047465737400"
            "00002904d000008000"
            "0000");
}

TEST(MessageWriter, what_does_not_fit_leaves_no_trace) {
  std::array<std::byte, 512> buffer;
  // Header 12, question 15, one A 16, one more byte.
  MessageWriter writer(buffer, 44);
  writer.header(response(1));
  ASSERT_TRUE(writer.question(name("pool.test."), RrType::kA));
  ASSERT_TRUE(writer.address(Section::kAnswer, name("pool.test."), 1, ip("192.0.2.1")));
  const std::size_t size = writer.size();
  EXPECT_FALSE(writer.address(Section::kAnswer, name("pool.test."), 1, ip("192.0.2.2")));
  EXPECT_FALSE(writer.record(Section::kAdditional, name("other.example."), RrType::kNs,
                             RrClass::kIn, 1, NameData{name("x.other.example.")}));
  EXPECT_EQ(writer.size(), size);
  // The section is still open: the refused record was in a later one.
  EXPECT_FALSE(writer.address(Section::kAnswer, name("pool.test."), 1, ip("192.0.2.3")));
  const auto message = parse_message(writer.finish());
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(message->header().answer_count, 1);
  EXPECT_EQ(message->header().additional_count, 0);
}

TEST(MessageWriter, reserves_room_for_opt_and_truncates) {
  std::array<std::byte, 512> buffer;
  MessageWriter writer(buffer, 60);
  writer.header(response(1));
  ASSERT_TRUE(writer.question(name("pool.test."), RrType::kA));
  ASSERT_TRUE(writer.reserve(kOptSize));
  ASSERT_TRUE(writer.address(Section::kAnswer, name("pool.test."), 1, ip("192.0.2.1")));
  ASSERT_FALSE(writer.address(Section::kAnswer, name("pool.test."), 1, ip("192.0.2.2")));
  writer.truncate();
  ASSERT_TRUE(writer.opt({.udp_size = 512}));
  const auto message = parse_message(writer.finish());
  ASSERT_TRUE(message.ok()) << name_of(message.error());
  EXPECT_TRUE(message->header().has(Header::kTc));
  EXPECT_EQ(message->header().answer_count, 0);
  EXPECT_EQ(message->questions().size(), 1u);
  EXPECT_TRUE(message->edns().has_value());
  EXPECT_FALSE(writer.reserve(100));
}

TEST(MessageWriter, an_rrset_is_taken_back_whole) {
  std::array<std::byte, 512> buffer;
  MessageWriter writer(buffer);
  writer.header(response(1));
  ASSERT_TRUE(writer.question(name("pool.test."), RrType::kNs));
  const auto mark = writer.mark();
  ASSERT_TRUE(writer.record(Section::kAnswer, name("deep.pool.test."), RrType::kNs, RrClass::kIn, 1,
                            NameData{name("a.b.c.")}));
  writer.rewind(mark);
  // The names of what was taken back are not pointed to.
  ASSERT_TRUE(writer.record(Section::kAnswer, name("a.b.c."), RrType::kNs, RrClass::kIn, 1,
                            NameData{name("deep.pool.test.")}));
  const auto message = parse_message(writer.finish());
  ASSERT_TRUE(message.ok());
  RecordCursor cursor = message->records();
  EXPECT_EQ(format(*message, *cursor.next()), "a.b.c. 1 IN NS deep.pool.test.");
  EXPECT_FALSE(cursor.next().has_value());
}

TEST(MessageWriter, names_far_behind_and_too_many_are_written_in_full) {
  std::vector<std::byte> buffer(65535);
  MessageWriter writer(buffer);
  writer.header(response(1));
  unsigned count = 0;
  for (;; ++count) {
    const DnsName owner =
        name("host" + std::to_string(count) + ".zone" + std::to_string(count % 7) + ".test.");
    if (!writer.record(Section::kAnswer, owner, RrType::kMx, RrClass::kIn, count,
                       Mx{1, name("mail." + format(owner))})) {
      break;
    }
  }
  ASSERT_GT(count, 1000u);
  const auto message = parse_message(writer.finish());
  ASSERT_TRUE(message.ok()) << name_of(message.error());
  RecordCursor cursor = message->records();
  for (unsigned i = 0; i < count; ++i) {
    const auto record = cursor.next();
    ASSERT_TRUE(record.has_value());
    ASSERT_EQ(record->ttl, i);
    const std::string owner = "host" + std::to_string(i) + ".zone" + std::to_string(i % 7);
    ASSERT_EQ(format(record->owner), owner + ".test.");
    ASSERT_EQ(format_rdata(message->rdata(*record)), "1 mail." + owner + ".test.");
  }
}

TEST(Message, all_twelve_bits_of_the_rcode) {
  std::array<std::byte, 512> buffer;
  MessageWriter writer(buffer);
  Header header = response(1);
  header.set_rcode(static_cast<Rcode>(23 & 15));
  writer.header(header);
  ASSERT_TRUE(writer.opt({.udp_size = 512, .extended_rcode = 23 >> 4}));
  const auto message = parse_message(writer.finish());
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(message->rcode(), Rcode::kBadCookie);
}

TEST(Message, refuses_broken_frames_with_their_reason) {
  const std::string a =
      "000001000100000000"
      "0004c0000201";
  const std::string opt = "0000290200000000000000";
  const struct {
    std::string hex;
    Malformed reason;
  } cases[] = {
      {"0000", Malformed::kShortHeader},
      {"000080000009000000000000", Malformed::kQuestionCount},
      {"000080000001000000000000"
       "00",
       Malformed::kShortQuestion},
      {"000080000000000100000000" + a.substr(0, 20), Malformed::kShortRecord},
      {"000080000000000100000000" + a.substr(0, 28), Malformed::kShortRecord},
      {"000080000000000100000000" + a + "00", Malformed::kTrailing},
      {"000080000000000100000000"
       "00000100010000000000"
       "03c00002",
       Malformed::kRdataShort},
      {"000080000000000100000000" + opt, Malformed::kOptSection},
      {"000080000000000000000002" + opt + opt, Malformed::kOptTwice},
      {"000080000000000000000001"
       "0161" +
           opt,
       Malformed::kOptOwner},
      {"000080000000000000000002"
       "0000fa00ff000000000000" +
           opt,
       Malformed::kTsigPlace},
  };
  for (const auto& c : cases) {
    const auto bytes = from_hex(c.hex).value();
    const auto message = parse_message(bytes);
    ASSERT_FALSE(message.ok()) << c.hex;
    EXPECT_EQ(name_of(message.error()), name_of(c.reason)) << c.hex;
  }
}

TEST(Message, sections_and_text) {
  const auto bytes = from_hex(
                         "000084000001000100010001"
                         "04706f6f6c04746573740000020001"
                         "c00c00020001000000"
                         "3c0005"
                         "026e73c00c"
                         "c00c00060001000000"
                         "3c0018"
                         "c027"
                         "c00c"
                         "0000000100000002"
                         "0000000300000004"
                         "00000005"
                         "c02700010001000000"
                         "3c0004"
                         "c0000201")
                         .value();
  const auto message = parse_message(bytes);
  ASSERT_TRUE(message.ok()) << name_of(message.error());
  EXPECT_EQ(format(message->questions()[0]), "pool.test. IN NS");
  RecordCursor cursor = message->records();
  const auto answer = cursor.next();
  EXPECT_EQ(answer->section, Section::kAnswer);
  EXPECT_EQ(format(*message, *answer), "pool.test. 60 IN NS ns.pool.test.");
  const auto authority = cursor.next();
  EXPECT_EQ(authority->section, Section::kAuthority);
  EXPECT_EQ(format(*message, *authority),
            "pool.test. 60 IN SOA ns.pool.test. pool.test. 1 2 3 4 5");
  const auto additional = cursor.next();
  EXPECT_EQ(additional->section, Section::kAdditional);
  EXPECT_EQ(format(*message, *additional), "ns.pool.test. 60 IN A 192.0.2.1");
}

TEST(Edns, every_option_reads_back) {
  std::array<std::byte, 300> buffer;
  ByteWriter options(buffer);
  const auto cookie = from_hex("00112233445566778899aabbccddeeff").value();
  write_option(options, ClientSubnet{1, 21, 16, ip("192.0.2.255")});
  write_option(options, Cookie{Bytes(cookie).first(8), Bytes(cookie).subspan(8)});
  write_option(options, OptionCode::kNsid, std::as_bytes(std::span("ns1", 3)));
  write_option(options, ExtendedError{18, "Prohibited"});
  write_option(options, OptionCode::kKeepalive, Bytes(cookie).first(2));
  write_option(options, static_cast<OptionCode>(65001), Bytes(cookie).first(3));
  write_padding(options, 5);
  ASSERT_TRUE(options.ok());
  // The address is cut to whole bytes; the bits behind the prefix are the caller's to clear.
  EXPECT_EQ(parse_edns(512, 0, options.written(), EdnsIn::kResponse).error(),
            Malformed::kSubnetBits);
  options.rewind(0);
  write_option(options, ClientSubnet{1, 21, 16, Prefix(ip("192.0.2.255"), 21).base()});
  write_option(options, Cookie{Bytes(cookie).first(8), Bytes(cookie).subspan(8)});
  write_option(options, OptionCode::kNsid, std::as_bytes(std::span("ns1", 3)));
  write_option(options, ExtendedError{18, "Prohibited"});
  write_option(options, OptionCode::kKeepalive, Bytes(cookie).first(2));
  write_option(options, static_cast<OptionCode>(65001), Bytes(cookie).first(3));
  write_padding(options, 5);
  const auto edns = parse_edns(1232, 0x00008000, options.written(), EdnsIn::kResponse);
  ASSERT_TRUE(edns.ok()) << name_of(edns.error());
  EXPECT_EQ(format(edns->client_subnet->prefix()), "192.0.0.0/21");
  EXPECT_EQ(edns->client_subnet->scope, 16);
  EXPECT_EQ(edns->cookie->server.size(), 8u);
  EXPECT_EQ(to_hex(*edns->nsid), "6e7331");
  EXPECT_EQ(edns->extended_error->code, 18);
  EXPECT_EQ(edns->extended_error->text, "Prohibited");
  EXPECT_EQ(edns->keepalive->size(), 2u);
  EXPECT_TRUE(edns->padding);
  // All in order, the unknown one too.
  ByteReader reader(edns->options);
  std::vector<int> codes;
  while (reader.remaining() > 0) codes.push_back(static_cast<int>(parse_option(reader)->code));
  EXPECT_EQ(codes, (std::vector<int>{8, 10, 3, 15, 11, 65001, 12}));
}

struct Written {
  std::vector<std::byte> bytes;
  std::vector<std::string> records;  // as text
};

// A random message, and what should be read from it.
Written random_message(std::uint64_t seed, std::size_t limit) {
  RecordGenerator generator(seed);
  Written out{std::vector<std::byte>(4096), {}};
  MessageWriter writer(out.bytes, limit);
  writer.header(response(static_cast<std::uint16_t>(seed)));
  static_cast<void>(writer.question(generator.name(), generator.type()));
  for (const Section section : {Section::kAnswer, Section::kAuthority, Section::kAdditional}) {
    const DnsName owner = generator.name();
    for (std::uint64_t left = generator.prng().below(6); left > 0; --left) {
      const DnsName own = generator.prng().below(3) == 0 ? generator.name() : owner;
      const RrType type = generator.type();
      const Rdata data = generator.rdata(type);
      const auto ttl = static_cast<std::uint32_t>(generator.prng().below(1U << 31));
      if (!writer.record(section, own, type, RrClass::kIn, ttl, data)) continue;
      out.records.push_back(format(lowered(own)) + ' ' + std::to_string(ttl) + ' ' + format(type) +
                            ' ' + format_rdata(data));
    }
  }
  out.bytes.resize(writer.finish().size());
  return out;
}

std::string lower_text(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

RC_GTEST_PROP(Message, what_is_written_is_read, (std::uint64_t seed)) {
  const auto limit = *rc::gen::inRange<std::size_t>(300, 4096);
  const Written written = random_message(seed, limit);
  RC_ASSERT(written.bytes.size() <= limit);
  const auto message = parse_message(written.bytes);
  if (!message.ok()) RC_FAIL(std::string(name_of(message.error())));
  RecordCursor cursor = message->records();
  for (const std::string& expected : written.records) {
    const auto record = cursor.next();
    RC_ASSERT(record.has_value());
    const std::string text = format(lowered(record->owner)) + ' ' + std::to_string(record->ttl) +
                             ' ' + format(record->type) + ' ' +
                             format_rdata(message->rdata(*record));
    // Compression joins names that differ in case alone.
    RC_ASSERT(lower_text(text) == lower_text(expected));
  }
  RC_ASSERT(!cursor.next().has_value());
}

RC_GTEST_PROP(Message, every_cut_is_refused, (std::uint64_t seed)) {
  const Written written = random_message(seed, 4096);
  const auto cut = *rc::gen::inRange<std::size_t>(0, written.bytes.size());
  RC_ASSERT(!parse_message(Bytes(written.bytes).first(cut)).ok());
}

}  // namespace
}  // namespace timepool::wire::dns
