// Our reading of master files against ldns': generated zones of every type in varying layout, and
// the text of every type's data.
#include <gtest/gtest.h>
#include <ldns/ldns.h>

#include <cstdio>
#include <memory>
#include <set>
#include <string>

#include "base/hex.h"
#include "dns/zone/master_file.h"
#include "dns/zone/rdata_reader.h"
#include "wire/dns/record_generator.h"

namespace timepool::dns {
namespace {

using namespace timepool::wire::dns;  // NOLINT: a test program of one file

constexpr std::uint64_t kZones = 60;
constexpr int kRecords = 60;
constexpr RrType kTypes[] = {RrType::kA,
                             RrType::kAaaa,
                             RrType::kNs,
                             RrType::kTxt,
                             RrType::kSrv,
                             RrType::kPtr,
                             RrType::kMx,
                             RrType::kCaa,
                             RrType::kDs,
                             RrType::kSpf,
                             RrType::kHttps,
                             RrType::kSvcb,
                             static_cast<RrType>(731)};
using Records = std::set<std::string>;

std::vector<std::byte> octets_of(const Rdata& data) {
  std::vector<std::byte> out(kMaxMessage);
  ByteWriter writer(out);
  write_rdata(writer, data);
  out.resize(writer.size());
  return out;
}

// RFC 9460 2.4.3: what no zone may hold, a generator of messages makes.
bool is_fit(const Rdata& data) {
  const auto* svcb = std::get_if<Svcb>(&data);
  return svcb == nullptr || check_consistent(svcb->params).ok();
}

std::string line_of(Bytes owner, int type, std::uint32_t ttl, const std::string& data) {
  return to_hex(lowered(NameView::from_valid_wire(owner)).wire()) + ' ' + std::to_string(type) +
         ' ' + std::to_string(ttl) + ' ' + data;
}

// One record a line, in one of the ways that the format has.
std::string generated_zone(std::uint64_t seed) {
  RecordGenerator generator(seed);
  Prng& prng = generator.prng();
  std::string out =
      "$ORIGIN example.net.\n$TTL 300\n@ IN SOA ns h ( 1 2 ; serial\n 3 4 5 )\n\tNS ns\n";
  for (int i = 0; i < kRecords; ++i) {
    const RrType type = kTypes[prng.below(std::size(kTypes))];
    const Rdata data = generator.rdata(type);
    if (!is_fit(data)) continue;
    const std::string owner = "n" + std::to_string(i) + (prng.below(3) == 0 ? ".\\065b.c" : "");
    out += owner + (prng.below(4) == 0 ? ".example.net." : "");
    if (prng.below(2) == 0) out += "\t60";
    if (prng.below(2) == 0) out += " IN";
    const bool wrapped = prng.below(3) == 0;
    out += ' ' + format(type) + (wrapped ? " ( ; a comment (\n   " : "  ") + format_rdata(data);
    out += wrapped ? "\n )\n" : prng.below(3) == 0 ? " ; the end\n" : "\n";
    if (prng.below(5) == 0) out += "   90 HINFO same \"owner as; before\"\n\n";
  }
  return out;
}

Records read_by_us(const std::string& text) {
  const auto zone = load_master(text, "example.net");
  EXPECT_TRUE(zone.ok()) << (zone.ok() ? "" : format(zone.error(), "generated"));
  Records out;
  if (!zone.ok()) return out;
  for (const Label& label : zone->labels) {
    const auto owner = label.name.empty() ? DnsName(zone->origin)
                                          : DnsName::from_text(label.name, zone->origin).value();
    for (const RecordSet& set : label.sets) {
      for (const ZoneRecord& record : set.records) {
        out.insert(
            line_of(owner.wire(), static_cast<int>(set.type), *set.ttl, to_hex(record.rdata)));
      }
    }
  }
  return out;
}

Records read_by_ldns(const std::string& text) {
  Records out;
  FILE* file = fmemopen(const_cast<char*>(text.data()), text.size(), "r");
  ldns_zone* zone = nullptr;
  int line = 0;
  const ldns_status status =
      ldns_zone_new_frm_fp_l(&zone, file, nullptr, 0, LDNS_RR_CLASS_IN, &line);
  fclose(file);
  EXPECT_EQ(status, LDNS_STATUS_OK) << "line " << line << ": " << ldns_get_errorstr_by_id(status);
  if (status != LDNS_STATUS_OK) return out;
  const ldns_rr_list* list = ldns_zone_rrs(zone);
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    const ldns_rr* rr = ldns_rr_list_rr(list, i);
    ldns_buffer* data = ldns_buffer_new(LDNS_MAX_PACKETLEN);
    ldns_rr_rdata2buffer_wire(data, rr);
    const ldns_rdf* owner = ldns_rr_owner(rr);
    out.insert(line_of(
        std::as_bytes(std::span(ldns_rdf_data(owner), ldns_rdf_size(owner))),
        static_cast<int>(ldns_rr_get_type(rr)), ldns_rr_ttl(rr),
        to_hex(std::as_bytes(std::span(ldns_buffer_begin(data), ldns_buffer_position(data))))));
    ldns_buffer_free(data);
  }
  ldns_zone_deep_free(zone);
  return out;
}

TEST(LdnsMaster, reads_the_same_records_from_generated_zones) {
  for (std::uint64_t seed = 0; seed < kZones; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::string text = generated_zone(seed);
    const Records ours = read_by_us(text);
    ASSERT_EQ(ours, read_by_ldns(text)) << text;
    ASSERT_GT(ours.size(), 20U);
  }
}

TEST(LdnsMaster, every_types_text_reads_as_the_data_it_was_made_from) {
  std::size_t compared = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    RecordGenerator generator(seed);
    for (const RrType type : kGeneratedTypes) {
      if (type == RrType::kRrsig || type == RrType::kNsec) continue;
      const Rdata data = generator.rdata(type);
      if (!is_fit(data)) continue;
      const auto again = read_rdata_text(type, format_rdata(data), NameView());
      ASSERT_TRUE(again.ok()) << format(type) << ' ' << format_rdata(data) << ": " << again.error();
      ASSERT_EQ(to_hex(*again), to_hex(octets_of(data))) << format_rdata(data);
      ++compared;
    }
  }
  EXPECT_GT(compared, 4000U);
}

}  // namespace
}  // namespace timepool::dns
