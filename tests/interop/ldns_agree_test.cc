// Our reading and writing of DNS messages against ldns', over generated messages of every type:
// what we write ldns reads, what ldns writes we read, and it understands our presentation format.
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "base/hex.h"
#include "ldns_pointers.h"
#include "wire/dns/message.h"
#include "wire/dns/message_writer.h"
#include "wire/dns/record_generator.h"

namespace timepool::wire::dns {
namespace {

constexpr std::uint64_t kMessages = 400;

using ldns::Buffer;
using ldns::CPointer;
using ldns::Deleter;
using ldns::Packet;
using ldns::Record;

// The data of one of ldns' records, uncompressed.
std::string data_of(const ldns_rr* rr) {
  const Buffer buffer(ldns_buffer_new(LDNS_MAX_PACKETLEN));
  EXPECT_EQ(ldns_rr_rdata2buffer_wire(buffer.get(), rr), LDNS_STATUS_OK);
  return to_hex(std::as_bytes(
      std::span(ldns_buffer_begin(buffer.get()), ldns_buffer_position(buffer.get()))));
}

std::string data_of(const Rdata& data) {
  std::vector<std::byte> buffer(kMaxMessage);
  ByteWriter writer(buffer);
  write_rdata(writer, data);
  EXPECT_TRUE(writer.ok());
  return to_hex(writer.written());
}

std::string owner_of(const ldns_rr* rr) {
  const ldns_rdf* owner = ldns_rr_owner(rr);
  return to_hex(std::as_bytes(std::span(ldns_rdf_data(owner), ldns_rdf_size(owner))));
}

std::vector<std::byte> generated_message(std::uint64_t seed) {
  RecordGenerator generator(seed);
  std::vector<std::byte> out(8192);
  MessageWriter writer(out);
  Header header;
  header.id = static_cast<std::uint16_t>(generator.prng().next());
  header.set(Header::kQr);
  for (const std::uint16_t flag :
       {Header::kAa, Header::kRd, Header::kRa, Header::kAd, Header::kCd}) {
    header.set(flag, generator.prng().below(2) == 0);
  }
  header.set_rcode(static_cast<Rcode>(generator.prng().below(11)));
  writer.header(header);
  EXPECT_TRUE(writer.question(generator.name(), generator.type()));
  for (const Section section : {Section::kAnswer, Section::kAuthority, Section::kAdditional}) {
    for (std::uint64_t left = generator.prng().below(8); left > 0; --left) {
      const RrType type = generator.type();
      EXPECT_TRUE(writer.record(section, generator.name(), type, RrClass::kIn,
                                static_cast<std::uint32_t>(generator.prng().below(1U << 31)),
                                generator.rdata(type)));
    }
  }
  if (generator.prng().below(2) == 0) {
    EXPECT_TRUE(writer.opt({.udp_size = 1232, .flags = EdnsHeader::kDo}));
  }
  out.resize(writer.finish().size());
  return out;
}

ldns_rr_list* section_of(const ldns_pkt* packet, Section section) {
  return section == Section::kAnswer      ? ldns_pkt_answer(packet)
         : section == Section::kAuthority ? ldns_pkt_authority(packet)
                                          : ldns_pkt_additional(packet);
}

void compare_header(const Message& ours, const ldns_pkt* theirs) {
  const Header& header = ours.header();
  EXPECT_EQ(header.id, ldns_pkt_id(theirs));
  EXPECT_EQ(header.has(Header::kQr), ldns_pkt_qr(theirs));
  EXPECT_EQ(header.has(Header::kAa), ldns_pkt_aa(theirs));
  EXPECT_EQ(header.has(Header::kTc), ldns_pkt_tc(theirs));
  EXPECT_EQ(header.has(Header::kRd), ldns_pkt_rd(theirs));
  EXPECT_EQ(header.has(Header::kRa), ldns_pkt_ra(theirs));
  EXPECT_EQ(header.has(Header::kAd), ldns_pkt_ad(theirs));
  EXPECT_EQ(header.has(Header::kCd), ldns_pkt_cd(theirs));
  EXPECT_EQ(static_cast<int>(header.rcode()), static_cast<int>(ldns_pkt_get_rcode(theirs)));
  EXPECT_EQ(ours.edns().has_value(), ldns_pkt_edns(theirs));
  if (!ours.edns()) return;
  EXPECT_EQ(ours.edns()->header.udp_size, ldns_pkt_edns_udp_size(theirs));
  EXPECT_EQ(ours.edns()->header.has(EdnsHeader::kDo), ldns_pkt_edns_do(theirs));
}

void compare_question(const Message& ours, const ldns_pkt* theirs) {
  ASSERT_EQ(ours.questions().size(), ldns_rr_list_rr_count(ldns_pkt_question(theirs)));
  const ldns_rr* rr = ldns_rr_list_rr(ldns_pkt_question(theirs), 0);
  EXPECT_EQ(to_hex(ours.questions()[0].name.wire()), owner_of(rr));
  EXPECT_EQ(static_cast<int>(ours.questions()[0].type), static_cast<int>(ldns_rr_get_type(rr)));
}

// Every record in order; ldns keeps OPT out of its sections.
void compare_records(const Message& ours, const ldns_pkt* theirs) {
  RecordCursor cursor = ours.records();
  std::size_t index[3] = {0, 0, 0};
  while (const auto record = cursor.next()) {
    if (record->type == RrType::kOpt) continue;
    ldns_rr_list* list = section_of(theirs, record->section);
    std::size_t& at = index[static_cast<std::size_t>(record->section)];
    ASSERT_LT(at, ldns_rr_list_rr_count(list));
    const ldns_rr* rr = ldns_rr_list_rr(list, at++);
    SCOPED_TRACE(format(ours, *record));
    EXPECT_EQ(to_hex(record->owner.wire()), owner_of(rr));
    EXPECT_EQ(static_cast<int>(record->type), static_cast<int>(ldns_rr_get_type(rr)));
    EXPECT_EQ(static_cast<int>(record->klass), static_cast<int>(ldns_rr_get_class(rr)));
    EXPECT_EQ(record->ttl, ldns_rr_ttl(rr));
    EXPECT_EQ(data_of(ours.rdata(*record)), data_of(rr));
  }
  for (const Section section : {Section::kAnswer, Section::kAuthority, Section::kAdditional}) {
    EXPECT_EQ(index[static_cast<std::size_t>(section)],
              ldns_rr_list_rr_count(section_of(theirs, section)));
  }
}

void compare(const Message& ours, const ldns_pkt* theirs) {
  compare_header(ours, theirs);
  compare_question(ours, theirs);
  compare_records(ours, theirs);
}

Packet read_by_ldns(Bytes bytes) {
  ldns_pkt* packet = nullptr;
  const ldns_status status =
      ldns_wire2pkt(&packet, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  EXPECT_EQ(status, LDNS_STATUS_OK) << ldns_get_errorstr_by_id(status);
  return Packet(packet);
}

TEST(Ldns, reads_what_we_write_and_writes_what_we_read) {
  for (std::uint64_t seed = 0; seed < kMessages; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::vector<std::byte> bytes = generated_message(seed);
    const auto ours = parse_message(bytes);
    ASSERT_TRUE(ours.ok()) << name_of(ours.error());
    const Packet theirs = read_by_ldns(bytes);
    ASSERT_TRUE(theirs);
    compare(*ours, theirs.get());
    // Their compression differs from ours.
    std::uint8_t* wire = nullptr;
    std::size_t size = 0;
    ASSERT_EQ(ldns_pkt2wire(&wire, theirs.get(), &size), LDNS_STATUS_OK);
    const CPointer<std::uint8_t> owned(wire);
    const auto again = parse_message(std::as_bytes(std::span(wire, size)));
    ASSERT_TRUE(again.ok()) << name_of(again.error());
    compare(*again, theirs.get());
    if (testing::Test::HasFailure()) return;
  }
}

// NSEC's text with a number (RFC 3597 5) in place of each mnemonic that ldns does not know (RKEY).
std::string known_to_ldns(const std::string& text) {
  std::istringstream words(text);
  std::string out;
  std::string word;
  while (words >> word) {
    const auto type = parse_type(word);
    const bool unknown = type.ok() && ldns_get_rr_type_by_name(word.c_str()) == 0;
    out += (out.empty() ? "" : " ") +
           (unknown ? "TYPE" + std::to_string(static_cast<int>(*type)) : word);
  }
  return out;
}

TEST(Ldns, reads_our_presentation_format_of_every_type) {
  std::size_t compared = 0;
  for (std::uint64_t seed = 0; seed < kMessages; ++seed) {
    RecordGenerator generator(seed);
    for (const RrType type : kGeneratedTypes) {
      const Rdata data = generator.rdata(type);
      const DnsName owner = generator.name();
      std::string text = format(owner) + " 60 IN " + format(type) + ' ' + format_rdata(data);
      if (type == RrType::kNsec) text = known_to_ldns(text);
      ldns_rr* rr = nullptr;
      const ldns_status status = ldns_rr_new_frm_str(&rr, text.c_str(), 0, nullptr, nullptr);
      ASSERT_EQ(status, LDNS_STATUS_OK) << text << ": " << ldns_get_errorstr_by_id(status);
      const Record owned(rr);
      EXPECT_EQ(to_hex(owner.wire()), owner_of(rr)) << text;
      EXPECT_EQ(data_of(data), data_of(rr)) << text;
      ++compared;
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_EQ(compared, kMessages * std::size(kGeneratedTypes));
}

// Names, key tags and canonical order, which DNSSEC hangs on.
TEST(Ldns, agrees_on_key_tags_and_canonical_order) {
  for (std::uint64_t seed = 0; seed < kMessages; ++seed) {
    RecordGenerator generator(seed);
    const Rdata key = generator.rdata(RrType::kDnskey);
    const std::string text = "pool.test. 60 IN DNSKEY " + format_rdata(key);
    ldns_rr* rr = nullptr;
    ASSERT_EQ(ldns_rr_new_frm_str(&rr, text.c_str(), 0, nullptr, nullptr), LDNS_STATUS_OK);
    const Record owned(rr);
    EXPECT_EQ(key_tag(std::get<Dnskey>(key)), ldns_calc_keytag(rr)) << text;

    const DnsName a = generator.name();
    const DnsName b = generator.name();
    using Name = std::unique_ptr<ldns_rdf, Deleter<ldns_rdf_deep_free>>;
    const Name x(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, a.size(), a.wire().data()));
    const Name y(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, b.size(), b.wire().data()));
    const int theirs = ldns_dname_compare(x.get(), y.get());
    const auto ours = canonical_order(a, b);
    EXPECT_EQ(theirs < 0, ours < 0) << format(a) << ' ' << format(b);
    EXPECT_EQ(theirs > 0, ours > 0) << format(a) << ' ' << format(b);
  }
}

}  // namespace
}  // namespace timepool::wire::dns
