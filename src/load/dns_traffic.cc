#include <algorithm>
#include <array>

#include "base/byte_writer.h"
#include "base/prng.h"
#include "load/traffic.h"
#include "wire/dns/header.h"
#include "wire/dns/message_writer.h"
#include "wire/dns/name.h"

namespace timepool::load {
namespace {

namespace dns = wire::dns;

// RFC 9715 3.1.
constexpr std::uint16_t kUdpSize = 1232;

// The same subnets in every run, so that servers are asked the same.
constexpr std::uint64_t kSubnetSeed = 7871;

// A /24 of the unicast space.
dns::ClientSubnet random_subnet(Prng& prng) {
  dns::ClientSubnet out;
  out.family = 1;
  out.source = 24;
  const auto first = static_cast<std::uint32_t>(1 + prng.below(222));
  out.address = IpAddress::v4(first << 24 | static_cast<std::uint32_t>(prng.below(1U << 16)) << 8);
  return out;
}

void put_opt(dns::MessageWriter& writer, const DnsTraffic::Options& options, Prng& prng) {
  dns::EdnsHeader edns;
  edns.udp_size = kUdpSize;
  if (options.dnssec) edns.flags |= dns::EdnsHeader::kDo;
  std::array<std::byte, 16> buffer{};
  ByteWriter more(buffer);
  if (options.subnets) dns::write_option(more, random_subnet(prng));
  CHECK(more.ok() && writer.opt(edns, more.written()));
}

Error bad_question(std::string_view text, std::string detail) {
  return {ErrorCode::kInvalid, "question \"" + std::string(text) + "\"", std::move(detail)};
}

// True when question and case of the name came back as they were sent.
bool same_question(Bytes sent, Bytes reply, std::size_t question_end) {
  return reply.size() >= question_end &&
         std::equal(sent.begin() + dns::kHeaderSize,
                    sent.begin() + static_cast<std::ptrdiff_t>(question_end),
                    reply.begin() + dns::kHeaderSize);
}

}  // namespace

Result<DnsQuestion> parse_question(std::string_view line) {
  const std::size_t end = line.find_first_of(" \t");
  DnsQuestion question{std::string(line.substr(0, end)), 1};
  if (end == std::string_view::npos) return question;
  std::string_view type = line.substr(end);
  type.remove_prefix(std::min(type.find_first_not_of(" \t"), type.size()));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t' || type.back() == '\r')) {
    type.remove_suffix(1);
  }
  if (type.empty()) return question;
  const auto parsed = dns::parse_type(type);
  if (!parsed.ok()) return fail(bad_question(line, "\"" + std::string(type) + "\" is not a type"));
  question.type = static_cast<std::uint16_t>(*parsed);
  return question;
}

Result<DnsTraffic> DnsTraffic::create(const std::vector<DnsQuestion>& questions,
                                      const Options& options) {
  if (questions.empty() || options.variety == 0 ||
      questions.size() > kMaxQuestions / options.variety) {
    return fail(Error{ErrorCode::kInvalid, "DNS load", "there must be 1 to 65536 questions"});
  }
  DnsTraffic traffic;
  int edns_credit = 0;
  Prng prng(kSubnetSeed);
  for (std::size_t i = 0; i < questions.size() * options.variety; ++i) {
    const DnsQuestion& question = questions[i % questions.size()];
    const auto name = dns::DnsName::from_text(question.name);
    if (!name.ok()) return fail(bad_question(question.name, "this is no domain name"));
    Query query;
    query.wire.resize(kMaxRequest);
    dns::MessageWriter writer(query.wire);
    dns::Header header;
    header.set(dns::Header::kRd, false);
    writer.header(header);
    CHECK(writer.question(*name, static_cast<dns::RrType>(question.type)));
    query.question_end = writer.size();
    edns_credit += options.edns_percent;
    if (edns_credit >= 100) {
      edns_credit -= 100;
      put_opt(writer, options, prng);
    }
    query.wire.resize(writer.finish().size());
    traffic.queries_.push_back(std::move(query));
  }
  return traffic;
}

const DnsTraffic::Query& DnsTraffic::query_of(std::uint64_t token) const {
  return queries_[(token >> 16) % queries_.size()];
}

std::size_t DnsTraffic::write(std::uint64_t token, MutableBytes buffer) const {
  const Query& query = query_of(token);
  std::copy(query.wire.begin(), query.wire.end(), buffer.begin());
  buffer[0] = static_cast<std::byte>(token >> 8);
  buffer[1] = static_cast<std::byte>(token);
  return query.wire.size();
}

std::optional<std::uint64_t> DnsTraffic::read_token(Bytes reply) const {
  if (reply.size() < dns::kHeaderSize) return std::nullopt;
  return std::to_integer<std::uint64_t>(reply[0]) << 8 | std::to_integer<std::uint64_t>(reply[1]);
}

Judgement DnsTraffic::judge(std::uint64_t token, Bytes reply) const {
  ByteReader reader(reply);
  const auto header = dns::parse_header(reader);
  if (!header.ok() || !header->has(dns::Header::kQr) || header->question_count != 1) {
    return Judgement::kInvalid;
  }
  const Query& query = query_of(token);
  if (!same_question(query.wire, reply, query.question_end)) return Judgement::kInvalid;
  const bool answer =
      header->rcode() == dns::Rcode::kNoError || header->rcode() == dns::Rcode::kNxDomain;
  return answer ? Judgement::kAnswer : Judgement::kRefused;
}

}  // namespace timepool::load
